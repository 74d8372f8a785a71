"""The stages as data, a file a part of the paper; `pipeline` has their order."""
