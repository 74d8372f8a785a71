"""MARS (ICCV 2023): biased object removal for weakly-supervised semantic segmentation."""
