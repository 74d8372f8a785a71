"""W-OoD: a classifier that also learns from pictures which show none of the classes (a rival of Table 5; CVPR 2022)."""
