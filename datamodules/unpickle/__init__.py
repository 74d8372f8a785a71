"""Pickles and checkpoints read without running what they carry."""
