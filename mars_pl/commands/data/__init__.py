"""`mars data`."""
