"""Segmentation networks and the complementing of debiased labels (paper §3.4, Eq. 6–7)."""
