"""`mars report`."""
