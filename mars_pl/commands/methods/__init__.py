"""`mars methods`."""
