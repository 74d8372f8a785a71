import numpy as np
import pytest

from datamodules.files.drawing import blend, colours, heat
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
