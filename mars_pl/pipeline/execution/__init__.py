"""Stages made: known by fingerprints, looked for beforehand, run by a task engine, each in a folder under a lock."""
