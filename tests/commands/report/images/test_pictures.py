"""Masks as transparent pictures, in the page's colours."""

import io

import numpy as np
import pytest
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.drawing import colours
from datamodules.files.labels import BIASED, IGNORED, write_label
from mars_pl.commands.report.images.palette import HATCH_GROUND, class_colours
from mars_pl.commands.report.images.pictures import draw_layer, image_picture, mask_picture, read_image
from mars_pl.commands.report.images.sets import Layer


def rgba(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def test_the_background_is_transparent_and_a_class_has_its_colour():
    label = np.array([[0, 1], [3, 0]], np.uint8)
    drawn = rgba(mask_picture(label, 4))
    assert drawn[..., 3].tolist() == [[0, 255], [255, 0]]
    assert drawn[0, 1, :3].tolist() == class_colours(3)[0].tolist()
    assert drawn[1, 0, :3].tolist() == class_colours(3)[2].tolist()


@pytest.mark.parametrize(("code", "name"), [(BIASED, "biased"), (IGNORED, "ignored")])
def test_what_is_no_class_is_hatched(code, name):
    drawn = rgba(mask_picture(np.full((16, 16), code, np.uint8), 3))[..., :3]
    assert {tuple(pixel) for pixel in drawn.reshape(-1, 3).tolist()} == {
        tuple(colours()[code].tolist()),
        HATCH_GROUND[name],
    }


def test_many_classes_and_a_code_that_is_none():
    label = np.array([[300, 65534], [65535, 400]], np.uint16)
    drawn = rgba(mask_picture(label, 351))
    assert drawn[0, 0, :3].tolist() == class_colours(350)[299].tolist()
    assert drawn[1, 1, 3] == 0  # class 400 of 350: nothing that is drawn
    assert drawn[0, 1, 3] == drawn[1, 0, 3] == 255


def test_large_pictures_are_scaled_and_masks_keep_their_codes():
    label = np.zeros((600, 1200), np.uint8)
    label[:, 600:] = 2
    drawn = rgba(mask_picture(label, 3))
    assert drawn.shape == (256, 512, 4)
    assert {tuple(pixel) for pixel in drawn.reshape(-1, 4).tolist()} == {
        (0, 0, 0, 0),
        (*class_colours(2)[1].tolist(), 255),
    }
    assert Image.open(io.BytesIO(image_picture(np.zeros((50, 40, 3), np.uint8)))).size == (40, 50)


def test_a_layer_of_another_size_and_a_missing_one(tmp_path):
    write_label(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    layer = Layer("pseudo", "Yᵇ", tmp_path)
    assert draw_layer(layer, "b", (4, 4), 3) is None
    with pytest.raises(DataError, match=r"a\.png: is \(4, 4\), its image \(5, 4\)"):
        draw_layer(layer, "a", (5, 4), 3)
    with pytest.raises(DataError, match="cannot be read as an image"):
        read_image(tmp_path / "nothing.jpg")
