"""Leopart: a vision transformer fine-tuned by clustering its own tokens (Ziegler and Asano, CVPR 2022; MARS §3.1)."""
