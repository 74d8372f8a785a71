"""`mars run`."""
