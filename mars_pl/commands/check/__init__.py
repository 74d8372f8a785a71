"""`mars check`."""
