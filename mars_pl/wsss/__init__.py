"""Weakly-supervised pseudo labels Yᵇ (paper §3.1)."""
