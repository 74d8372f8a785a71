"""`mars doctor`."""
