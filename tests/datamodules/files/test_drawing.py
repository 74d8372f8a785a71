import numpy as np
import pytest

from datamodules.files.drawing import blend, colours, heat, with_names
from datamodules.files.labels import BIASED, IGNORED


def test_colours_are_distinct_and_keep_the_codes():
    table = colours()
    assert table.shape == (256, 3)
    assert table[BIASED].tolist() == [255, 0, 255]
    assert len(np.unique(table[:21], axis=0)) == 21


def test_background_is_paled_and_a_class_has_its_hue_on_any_image():
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 1] = 255  # green, under the red of class 1
    label = np.zeros((8, 8), np.uint8)
    label[2:6, 2:6] = 1
    drawn = blend(image, label)
    assert drawn.shape == (8, 8, 3)
    assert drawn.dtype == np.uint8
    inside, outside = drawn[3, 3].astype(int), drawn[0, 0].astype(int)
    assert inside.argmax() == 0
    assert outside.argmax() == 1
    assert outside[0] > 0
    np.testing.assert_array_equal(drawn[2, 2], colours()[1])  # the outline


@pytest.mark.parametrize("code", [BIASED, IGNORED])
def test_codes_are_hatched(code):
    drawn = blend(np.zeros((16, 16, 3), np.uint8), np.full((16, 16), code, np.uint8))
    share = (drawn == colours()[code]).all(axis=2).mean()
    assert share == pytest.approx(0.5, abs=0.1)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        blend(np.zeros((3, 2, 3), np.uint8), np.zeros((2, 3), np.uint8))


def test_heat_grows_brighter():
    line = heat(np.arange(256, dtype=np.uint8)[None])[0].astype(float).sum(axis=1)
    assert (np.diff(line) >= 0).all()
    assert line[-1] > line[0] + 500


def test_names_are_written_on_their_classes_alone():
    picture, label = np.full((60, 90, 3), 90, np.uint8), np.zeros((60, 90), np.uint8)
    assert np.array_equal(with_names(picture, label, ("background", "cat")), picture), "background has no name"
    label[20:50, 60:88] = 1
    drawn = with_names(picture, label, ("background", "a cat"))
    rows, columns = np.nonzero((drawn != picture).any(axis=2))
    assert rows.min() >= 25 and rows.max() <= 45 and columns.min() > 45 and columns.max() < 90
    label[label == 1] = BIASED
    assert np.array_equal(with_names(picture, label, ("background", "cat")), picture), "nor has what is no class"


def test_a_name_that_is_wider_than_the_image_begins_within_it():
    label = np.ones((20, 30), np.uint8)
    drawn = with_names(np.zeros((20, 30, 3), np.uint8), label, ("background", "a class of many words"))
    assert drawn.shape == (20, 30, 3) and drawn.any()
