"""Annotations of other programs, as a folder of one's own."""
