"""`mars labels`."""
