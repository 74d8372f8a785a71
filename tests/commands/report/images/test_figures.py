"""The figures of one image, by hand."""

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.files.labels import BIASED, IGNORED, write_label
from mars_pl.commands.report.images.figures import measure_image

TRUTH = [[0, 0, 1, 1], [0, 0, 1, 1]]
PSEUDO = [[0, 1, 1, 1], [0, 1, 1, IGNORED]]
DEBIASED = [[0, BIASED, 1, BIASED], [0, 1, 1, IGNORED]]
COMPLEMENTED = [[0, 0, 1, 1], [0, 1, 1, 0]]


@pytest.fixture
def folders(tmp_path):
    for name, label in {"truth": TRUTH, "pseudo": PSEUDO, "debiased": DEBIASED, "complemented": COMPLEMENTED}.items():
        write_label(tmp_path / name / "sub" / "a.png", np.array(label, np.uint8))
    return tmp_path


def measured(folders, names, **options):
    return measure_image("sub/a", {name: folders / name for name in names}, folders / "truth", 3, **options)


def test_figures_are_fractions_of_the_union_over_what_the_image_or_the_mask_holds(folders):
    image = measured(folders, ["pseudo"])
    # class 1: 3 right, 5 called so, 4 true: union 6; background: 2 right, 3 so called (ignored counts), 4 true: union 5
    iou, fp, fn = image.figures["pseudo"]
    assert iou == pytest.approx((3 / 6 + 2 / 5) / 2)
    assert fp == pytest.approx(2 / 6)
    assert fn == pytest.approx(1 / 6)
    assert image.confusion["pseudo"].tolist() == [[2, 2, 0], [1, 3, 0], [0, 0, 0]]
    assert image.drawn == (1,)


def test_means_are_taken_over_the_scored_classes(folders):
    assert measured(folders, ["pseudo"], over=(1,)).figures["pseudo"][0] == pytest.approx(3 / 6)
    assert measured(folders, ["pseudo"], over=(2,)).figures["pseudo"] == (None, None, None)


def test_removed_and_restored_are_shares_of_pixels(folders):
    image = measured(folders, ["pseudo", "debiased", "complemented"])
    assert (image.removal.removed, image.removal.object_pixels, image.removal.main_class) == (2, 5, 1)
    assert image.restored == pytest.approx(1 / 2)  # of two biased pixels one is an object again
    assert measured(folders, ["pseudo", "complemented"]).removal is None
    assert measured(folders, ["pseudo", "complemented"]).restored is None


def test_without_truth_there_are_no_figures_but_removal(folders):
    masks = {name: folders / name for name in ("pseudo", "debiased")}
    image = measure_image("sub/a", masks, None, 3)
    assert image.figures == {} and image.confusion == {}
    assert image.removal.share == pytest.approx(2 / 5)


def test_masks_of_other_sizes_and_other_classes_are_named(folders):
    write_label(folders / "pseudo" / "sub" / "a.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(DataError, match=r"pseudo/sub/a\.png: .*shape.*of one data set\?"):
        measured(folders, ["pseudo"])
    write_label(folders / "truth" / "sub" / "a.png", np.full((2, 4), 7, np.uint8))
    with pytest.raises(DataError, match="the truth holds 7"):
        measured(folders, ["debiased"])
