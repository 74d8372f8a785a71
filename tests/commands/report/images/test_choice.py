"""Which pictures a gallery shows, by the pixels that were removed."""

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.files.labels import BIASED, write_label
from mars_pl.commands.report.images.choice import Removal, choose, removals


def test_removals_count_pixels_and_name_the_class_that_lost_most(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    label = np.array([[1, 1, 2, 2], [2, 2, 0, 255]], np.uint8)
    write_label(before / "a.png", label)
    write_label(after / "a.png", np.array([[BIASED, 1, BIASED, BIASED], [2, 2, 0, 255]], np.uint8))
    write_label(before / "b.png", np.zeros((2, 2), np.uint8))  # no object: nothing could be removed
    write_label(after / "b.png", np.zeros((2, 2), np.uint8))
    assert removals(before, after) == [Removal("a", 2, 3, 6)]
    write_label(after / "a.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(DataError, match=r"a\.png: is \(3, 3\)"):
        removals(before, after)


def test_pictures_come_from_each_class_in_turn():
    removed = [Removal(f"a{share}", 1, share, 100) for share in (90, 80, 70, 1)] + [
        Removal(f"b{share}", 2, share, 100) for share in (40, 0)
    ]
    most, little = choose(removed, 5)
    assert [item.image_id for item in most] == ["a90", "b40", "a80", "b0"]
    assert [item.image_id for item in little] == ["a1"]
    assert choose(removed, 0) == ([], [])
