"""`mars gap`."""
