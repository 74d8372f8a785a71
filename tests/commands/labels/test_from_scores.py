"""Refinement of imported scores, against the pseudo labels' own path and the published formula."""

import json
import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.labels import read_label, write_label
from datamodules.foreign.scores import ClassScores
from mars_pl.commands.labels.command import main
from mars_pl.commands.labels.from_scores import LabelRule, ScoreFolder, label_of
from mars_pl.refine.dense_crf import NAMED, CRFSettings, DenseCRF, dense_crf
from mars_pl.wsss.pseudo_label import pseudo_label

pytest.importorskip("pydensecrf.densecrf")

HEIGHT, WIDTH = 24, 32


@pytest.fixture
def picture():
    """A bright square on a dark ground, with noise."""
    noise = np.random.default_rng(0).integers(0, 30, (HEIGHT, WIDTH, 3))
    noise[8:18, 10:22] += 180
    return noise.astype(np.uint8)


@pytest.fixture
def scores():
    """A blob that covers the square loosely, and a weak one beside it."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    blobs = [np.exp(-((y - 12) ** 2 + (x - 15) ** 2) / 60), 0.4 * np.exp(-((y - 4) ** 2 + (x - 27) ** 2) / 20)]
    return ClassScores(np.array([3, 7]), np.stack(blobs).astype(np.float32))


def test_a_constant_score_is_refined_as_our_own_labels_are(picture, scores):
    image = torch.from_numpy(picture).permute(2, 0, 1)
    maps, ids = torch.from_numpy(scores.maps), torch.from_numpy(scores.class_ids)
    for refine, crf in ((None, None), (DenseCRF("irn-label", 0.5), "irn-label")):
        expected = pseudo_label(image, maps, ids, 0.25, refine).numpy()
        label = label_of(scores, LabelRule(background=0.25, crf=crf, crf_scale=0.5), picture)
        assert label.dtype == np.int64 and np.array_equal(label, expected)
    plain = label_of(scores, LabelRule(background=0.25))
    assert set(np.unique(plain)) == {0, 3, 7} and (plain != label).any()


def test_a_soft_background_is_refined_as_seam_does(picture, scores):
    background = (1 - scores.maps.max(0, keepdims=True)) ** 4
    refined = dense_crf(picture, np.concatenate([background, scores.maps]), NAMED["cam"])
    expected = np.array([0, 3, 7])[refined.argmax(0)]
    assert np.array_equal(label_of(scores, LabelRule(alpha=4, crf="cam"), picture), expected)
    own = ClassScores(scores.class_ids, scores.maps, background[0])
    assert np.array_equal(label_of(own, LabelRule(crf="cam"), picture), expected)
    assert NAMED["cam"] == CRFSettings(10, 3, 3, 80, 13, 10)


def test_scores_without_any_background_are_refused(scores):
    with pytest.raises(ValueError, match="need a background score or an exponent"):
        label_of(scores, LabelRule())


def test_a_refinement_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="a: a refinement follows the images; name their folder by --images"):
        ScoreFolder("irn", tmp_path, ".npy", 21).image("a")


@pytest.mark.parametrize(
    ("kind", "options", "preset"),
    [
        ("irn", ["--background", ".25", "--workers", "2"], "irn-label"),  # in processes
        ("irn", ["--sweep", ".25"], "irn-label"),
        ("irn", ["--background", ".25", "--crf", "deeplab", "--crf-scale", ".5"], "deeplab"),
        ("irn", ["--alpha", "4"], "cam"),
        ("rsepm", [], "deeplab"),
    ],
)
def test_an_import_refines_as_its_source_does(tmp_path, picture, scores, capsys, kind, options, preset):
    for name in ("source", "images", "truth"):
        (tmp_path / name).mkdir()
    keys = scores.class_ids - 1 if kind == "irn" else np.array([0, *scores.class_ids])
    if kind == "irn":
        np.save(tmp_path / "source" / "a.npy", {"keys": torch.from_numpy(keys), "high_res": scores.maps})
    else:
        (tmp_path / "source" / "a.pkl").write_bytes(pickle.dumps({"keys": keys, "seed": scores.maps}))
    Image.fromarray(picture).save(tmp_path / "images" / "a.jpg", quality=95)
    write_label(tmp_path / "truth" / "a.png", np.zeros((HEIGHT, WIDTH)))
    if "--sweep" in options:
        options = [*options, "--truth", str(tmp_path / "truth"), "--split", "train"]
    target = tmp_path / "labels"
    words = ["--data", "voc", "--images", str(tmp_path / "images"), "--refine", "crf", "--workers", "1"]
    assert main(["import", kind, str(tmp_path / "source"), str(target), *words, *options]) == 0
    seen = np.array(Image.open(tmp_path / "images" / "a.jpg"))
    background = None if kind == "rsepm" or "--alpha" in options else 0.25
    alpha = None if background else {"irn": 4, "rsepm": 2}[kind]
    rule = LabelRule(background, alpha, preset, 0.5 if "--crf-scale" in options else 1)
    label = label_of(scores, rule, seen)
    assert np.array_equal(read_label(target / "a.png"), label) and label.any()
    assert json.loads((target / "about.json").read_text())["refinement"] == "crf"
    assert f"refinement {preset}" in capsys.readouterr().out
    if "--sweep" in options:
        right = float((label == 0).mean())
        sweep = json.loads((target / "sweep.json").read_text())
        found = len(np.unique(label)) - (0 in label)
        assert sweep["refinement"] == "crf" and sweep["scores"][0]["miou"] == pytest.approx(right / (1 + found))
