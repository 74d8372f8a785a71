"""Random crops with something beside them: the label as it was at first, an image that shows none of the classes."""
