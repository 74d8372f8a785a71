"""Scenes: pictures drawn by integer arithmetic, with their masks and their companions' masks."""
