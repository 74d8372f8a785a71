"""Debiased centroids (paper §3.2, Eq. 1–3) and debiased labels (§3.3, Eq. 4–5)."""
