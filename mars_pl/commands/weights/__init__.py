"""`mars weights`."""
