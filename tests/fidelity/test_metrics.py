"""`mars evaluate` on written PNG files beside the evaluators of IRN, SEAM and DHR, written out (docs/fidelity.md)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from datamodules.files.class_names import CLASS_NAMES
from mars_pl.cli.main import main

CLASSES = 21
ABSENT = 7
"""A class that neither truth nor prediction shows."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Fifty images of odd sizes: blocks of classes with a border of 255, and predictions half of which are right."""
    root = tmp_path_factory.mktemp("masks")
    rng = np.random.default_rng(0)
    shown = np.array([index for index in range(CLASSES) if index != ABSENT])
    for folder in ("truth", "predictions", "with_255"):
        (root / folder).mkdir()
    for image in range(50):
        height, width = (int(side) for side in rng.integers(20, 60, 2))
        blocks = rng.choice(shown, (2, 8, 8), p=[0.43, *[0.03] * 19])
        truth, other = (np.kron(block, np.ones((8, 8), int))[:height, :width].astype(np.uint8) for block in blocks)
        predicted = np.where(rng.random(truth.shape) < 0.5, truth, other)
        truth[rng.random(truth.shape) < 0.05] = 255
        unsaid = np.where(rng.random(truth.shape) < 0.05, 255, predicted)
        for folder, mask in (("truth", truth), ("predictions", predicted), ("with_255", unsaid)):
            indexed = Image.fromarray(mask.astype(np.uint8), mode="P")
            indexed.putpalette(bytes(range(256)) * 3)
            indexed.save(root / folder / f"{image:03}.png")
    return root


def pairs(root, folder):
    for path in sorted((root / "truth").iterdir()):
        yield np.array(Image.open(path)), np.array(Image.open(root / folder / path.name))


def evaluated(root, folder):
    target = root / f"{folder}.json"
    assert main(["evaluate", str(root / folder), str(root / "truth"), "--data", "voc", "--json", str(target)]) == 0
    return json.loads(target.read_text())


def per_class(row, figure):
    found = [row["per_class"][name][figure] for name in CLASS_NAMES["voc"]]
    return np.array([np.nan if value is None else value for value in found])


def counted(root, folder):
    """Right, predicted, true pixels of a class where the truth is not 255 (SEAM evaluation.py, DHR evaluators.py)."""
    right, predicted, true = np.zeros((3, CLASSES))
    for truth, mask in pairs(root, folder):
        for index in range(CLASSES):
            right[index] += np.sum((mask == index) & (truth == index))
            predicted[index] += np.sum((mask == index) & (truth != 255))
            true[index] += np.sum(truth == index)
    return right, predicted, true


def irn(root, folder):
    """A confusion matrix by pixels, 255 of a prediction as background; FP = 1 − T/U, FN = 1 − P/U (eval_sem_seg.py)."""
    confusion = np.zeros((CLASSES, CLASSES))
    for truth, mask in pairs(root, folder):
        for true, predicted in zip(truth.ravel(), mask.ravel(), strict=True):
            if true != 255:
                confusion[true, 0 if predicted == 255 else predicted] += 1
    true, predicted, right = confusion.sum(1), confusion.sum(0), np.diag(confusion)
    with np.errstate(invalid="ignore"):
        union = true + predicted - right
        return right / union, 1 - true / union, 1 - predicted / union


@pytest.mark.parametrize("folder", ["predictions", "with_255"])
def test_iou_fp_and_fn_are_irns_whatever_a_prediction_leaves_out(folders, folder):
    row = evaluated(folders, folder)
    for figure, wanted in zip(("iou", "fp", "fn"), irn(folders, folder), strict=True):
        assert np.isnan(wanted[ABSENT]) and row["per_class"][CLASS_NAMES["voc"][ABSENT]][figure] is None
        np.testing.assert_allclose(per_class(row, figure), wanted, rtol=0, atol=1e-14)
    iou, fp, fn = irn(folders, folder)
    means = {"miou": iou, "fp": fp[1:], "fn": fn[1:], "fp_all": fp, "fn_all": fn}
    assert {name: row[name] for name in means} == pytest.approx({k: np.nanmean(v) for k, v in means.items()}, abs=1e-14)


def test_means_are_dhrs_and_seams_but_for_absent_classes(folders):
    """DHR's means over all classes; SEAM adds 1e-10 to the union, so that an absent class has IoU 0 in its mean."""
    row = evaluated(folders, "predictions")
    right, predicted, true = counted(folders, "predictions")
    union = true + predicted - right
    there = union > 0
    dhr = [np.mean(part[there] / union[there]) for part in (right, predicted - right, true - right)]
    assert [row["miou"], row["fp_all"], row["fn_all"]] == pytest.approx(dhr, abs=1e-14)
    seam = np.mean(right / (union + 1e-10))
    assert there.sum() == 20
    assert row["miou"] * 20 / 21 == pytest.approx(seam, abs=1e-12)


def test_255_of_a_prediction_is_background_here_and_nothing_in_dhr_and_seam(folders):
    """The objects' figures are the same; only the background's own FP and IoU differ."""
    row = evaluated(folders, "with_255")
    right, predicted, true = counted(folders, "with_255")
    with np.errstate(invalid="ignore"):
        union = true + predicted - right
        iou, fp = right / union, (predicted - right) / union
    np.testing.assert_allclose(per_class(row, "iou")[1:], iou[1:], rtol=0, atol=1e-14)
    np.testing.assert_allclose(per_class(row, "fp")[1:], fp[1:], rtol=0, atol=1e-14)
    assert per_class(row, "fp")[0] > fp[0] + 0.01
