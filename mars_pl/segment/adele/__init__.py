"""ADELE: labels that are corrected while a network learns them (a rival of Table 5; CVPR 2022)."""
