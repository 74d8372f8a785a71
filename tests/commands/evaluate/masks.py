"""Masks of a few pixels, whose figures are counted by hand."""

import numpy as np

from datamodules.files.labels import write_label

TRUTH = {"a": [[0, 0, 0], [1, 1, 255]], "b": [[0, 0, 0], [2, 2, 2]]}
PREDICTION = {"a": [[0, 1, 1], [1, 254, 1]], "b": [[0, 0, 2], [2, 2, 0]]}
# confusion: 0→0 3, 0→1 2, 0→2 1; 1→1 1, 1→0 1 (the 254); 2→2 2, 2→0 1
# T = 6, 2, 3; P = 5, 3, 3; TP = 3, 1, 2; U = 8, 4, 4
COMPANION = {"a": [[0, 1, 1], [0, 0, 0]], "b": [[1, 0, 1], [0, 0, 0]]}
REFERENCE = {"a": [[1, 1, 1], [1, 1, 1]], "b": [[0, 0, 0], [1, 2, 2]]}


def masks(folder, content):
    folder.mkdir()
    for name, rows in content.items():
        write_label(folder / f"{name}.png", np.array(rows, dtype=np.uint8))
    return str(folder)
