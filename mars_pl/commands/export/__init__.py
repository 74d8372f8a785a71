"""`mars export`."""
