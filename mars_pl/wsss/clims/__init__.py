"""CLIMS: maps that a language-image model agrees with (a rival of Table 2 with CLIP's data; CVPR 2022)."""
