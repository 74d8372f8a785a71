"""`mars evaluate`."""
