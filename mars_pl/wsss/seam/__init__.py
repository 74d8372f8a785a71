"""SEAM (Wang et al., CVPR 2020): class activation maps that keep still when the image is resized."""
