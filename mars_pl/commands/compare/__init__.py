"""`mars compare`."""
