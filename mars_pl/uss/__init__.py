"""Unsupervised pixel features F (paper §3.1)."""
