"""Folders whose files lie in tar files, here or in an object store: WebDataset's layout, and an index beside it."""
