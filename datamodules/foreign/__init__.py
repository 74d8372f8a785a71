"""Scores, masks and weights in the formats of other projects."""
