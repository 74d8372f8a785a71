"""Vectors read from a table of candidates: pairs, and so many of each class."""

import numpy as np

from mars_pl.commands.report.candidate_vectors import candidate_pairs, table_parts, vectors_by_class
from mars_pl.metrics.target_share import KINDS
from tests.callbacks.writing.candidates.tables import write_table

NAMES = ("background", "train", "boat")
ROWS = [
    ("a", 0, 0, 100, 0.0, False, None),
    ("a", 1, 0, 400, 0.5, True, 0.6),
    ("a", 1, 1, 100, 0.1, False, 0.0),  # worth .4 · √100
    ("b", 1, 0, 100, 0.2, False, 0.05),
    ("b", 1, 1, 100, 0.7, True, 0.5),  # worth .5 · √100: the best of its class
    ("c", 1, 0, 900, 0.9, True, 0.05),
    ("c", 1, 1, 900, 0.1, False, 0.5),  # what was selected is no target
    ("c", 2, 0, 100, 0.3, True, None),
    ("c", 2, 1, 100, 0.2, False, None),  # no truth: the selection alone tells
    ("d", 2, 0, 900, 0.9, True, 0.9),
    ("e", 2, 0, 900, 0.1, False, 0.0),  # of another image
]
VECTORS = np.arange(2 * len(ROWS), dtype=np.float32).reshape(-1, 2)


def test_the_best_pair_of_each_class_the_selected_one_first(tmp_path):
    table = write_table(tmp_path, NAMES, ROWS, VECTORS)
    first, second = candidate_pairs(table, 5)
    assert (first.image_id, first.class_index, first.kinds) == ("b", 1, ("target", "biased"))
    assert first.distances == (0.7, 0.2)
    assert first.vectors.tolist() == [[8, 9], [6, 7]]
    assert (second.image_id, second.class_index, second.kinds) == ("c", 2, ("unknown", "unknown"))
    assert [pair.image_id for pair in candidate_pairs(table, 1)] == ["b"]
    assert candidate_pairs(write_table(tmp_path / "none", NAMES, ROWS[:2], VECTORS[:2]), 2) == []


def test_the_vectors_of_each_class_the_background_too(tmp_path):
    table = write_table(tmp_path, NAMES, ROWS, VECTORS)
    found = vectors_by_class(table, 100)
    assert {name: len(one.vectors) for name, one in found.items()} == {"background": 1, "train": 6, "boat": 4}
    assert found["boat"].selected.tolist() == [True, False, True, False]
    assert [KINDS[kind] for kind in found["boat"].kinds] == ["unknown", "unknown", "target", "biased"]
    assert found["background"].vectors.tolist() == [[0, 1]]
    assert vectors_by_class(table, 3)["train"].vectors[:, 0].tolist() == [2, 6, 12], "evenly spaced, both ends kept"


def test_the_whole_table_in_parts(tmp_path):
    [(ids, classes, vectors)] = table_parts(write_table(tmp_path, NAMES, ROWS, VECTORS))
    assert ids == [row[0] for row in ROWS]
    assert classes.tolist() == [row[1] for row in ROWS]
    assert vectors.tolist() == VECTORS.tolist()
