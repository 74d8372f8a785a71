"""PNG masks of other projects, and DHR's folders."""

import numpy as np
import pytest
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.coco_ids import COCO_CATEGORY_IDS, coco_table
from datamodules.files.labels import write_label
from datamodules.foreign.masks import dhr_folder, read_foreign_mask


def png(path, codes, mode="L"):
    image = Image.fromarray(np.array(codes, dtype=np.uint8))
    if mode == "P":
        image.putpalette([index % 256 for index in range(5, 773)])  # not VOC's
    image.save(path)
    assert Image.open(path).mode == mode
    return path


@pytest.mark.parametrize("mode", ["L", "P"])
def test_palette_and_grey_masks(tmp_path, mode):
    assert read_foreign_mask(png(tmp_path / "a.png", [[0, 20, 255]], mode), 21).tolist() == [[0, 20, 255]]


@pytest.mark.parametrize(("ignored", "becomes"), [((200,), [0, 3, 255, 255]), ((200, 3), [0, 255, 255, 255])])
def test_any_ignore_value(tmp_path, ignored, becomes):
    mask = read_foreign_mask(png(tmp_path / "a.png", [[0, 3, 200, 255]]), 4, ignored)
    assert mask.dtype == np.uint8 and mask.tolist() == [becomes]


def test_category_ids_of_coco(tmp_path):
    """Person, truck, boat, traffic light, fire hydrant, stop sign, zebra, backpack, toaster, toothbrush."""
    path = png(tmp_path / "a.png", [[0, 1, 8, 9, 10, 11, 13, 24, 27, 80, 90, 255]])
    assert read_foreign_mask(path, 81, coco_ids=True).tolist() == [[0, 1, 8, 9, 10, 11, 12, 23, 25, 71, 80, 255]]


def test_the_table_of_coco_has_80_ids_and_10_gaps():
    assert len(COCO_CATEGORY_IDS) == 80 and list(COCO_CATEGORY_IDS) == sorted(set(COCO_CATEGORY_IDS))
    gaps = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
    assert set(range(1, 91)) - set(COCO_CATEGORY_IDS) == gaps
    table = coco_table()
    assert all(table[code] == 254 for code in (*gaps, 91, 200, 254))


@pytest.mark.parametrize(
    ("codes", "options", "complaint"),
    [
        ([[4]], {}, "holds code 4, the data 0 to 3 and 255; is it an --ignore value"),
        ([[254]], {}, "holds code 254"),
        ([[12]], {"num_classes": 81, "coco_ids": True}, "holds code 12, the data those of 80 COCO categories"),
        ([[90]], {"coco_ids": True}, "holds code 90"),
    ],
)
def test_a_code_that_is_no_class_is_named(tmp_path, codes, options, complaint):
    with pytest.raises(DataError, match=rf"a\.png: {complaint}"):
        read_foreign_mask(png(tmp_path / "a.png", codes), **{"num_classes": 4, **options})


def test_colours_are_no_codes(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: a label of these data is an 8-bit single-channel PNG"):
        read_foreign_mask(tmp_path / "a.png", 21)


@pytest.fixture
def wss(tmp_path):
    for name in ("VOC2012/RSEPM/train_aug", "VOC2012/MARS/train_aug", "VOC2012/MARS/validation"):
        (tmp_path / "WSS" / name).mkdir(parents=True)
    return tmp_path / "WSS"


def test_folders_of_dhr(wss):
    assert dhr_folder(wss, "VOC2012", "MARS", "validation") == wss / "VOC2012/MARS/validation"
    assert dhr_folder(wss, None, "RSEPM", None) == wss / "VOC2012/RSEPM/train_aug"


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        ((None, None, None), r"VOC2012: several folders; set --method to one of those there \(MARS, RSEPM\)"),
        (("COCO2014", None, None), r"WSS: no folder COCO2014; set --dataset to one of those there \(VOC2012\)"),
        ((None, "MARS", None), r"MARS: several folders; set --domain to one of .*train_aug, validation"),
    ],
)
def test_a_choice_that_is_open_or_wrong_is_named(wss, choice, complaint):
    with pytest.raises(DataError, match=complaint):
        dhr_folder(wss, *choice)
    with pytest.raises(DataError, match="nowhere: no folders in it"):
        dhr_folder(wss / "nowhere", None, None, None)


def test_masks_of_sixteen_bits(tmp_path):
    write_label(tmp_path / "a.png", np.array([[0, 255, 300, 7, 65535]], dtype=np.uint16))
    mask = read_foreign_mask(tmp_path / "a.png", 301, ignored=(7,))
    assert mask.dtype == np.uint16 and mask.tolist() == [[0, 255, 300, 65535, 65535]]
    with pytest.raises(DataError, match=r"holds code 300, the data 0 to 299 and 65535"):
        read_foreign_mask(tmp_path / "a.png", 300)
    with pytest.raises(DataError, match="--coco-ids: COCO has 80 classes, the data 300"):
        read_foreign_mask(tmp_path / "a.png", 301, coco_ids=True)
    with pytest.raises(DataError, match="--ignore 256: masks of 21 classes hold no such code"):
        read_foreign_mask(tmp_path / "a.png", 21, ignored=(256,))
