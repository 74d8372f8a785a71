"""`mars recipe`."""
