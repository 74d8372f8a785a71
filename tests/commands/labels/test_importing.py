"""``mars labels import`` on maps of a few pixels, with labels by hand."""

import json
import re
import subprocess
import sys

import pytest
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.about import read_about
from datamodules.files.labels import voc_palette
from mars_pl.commands.labels.command import main
from mars_pl.commands.labels.from_scores import LabelRule
from tests.commands.labels.foreign_labels import MASKS, imported, png, save, seam_cam


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("irn", [], [[[1, 1, 1]], [[2, 2, 0]]]),  # above .15
        ("irn", ["--background", ".5"], [[[1, 1, 0]], [[2, 0, 0]]]),
        ("irn", ["--background", "0"], [[[1, 1, 1]], [[2, 2, 2]]]),
        ("irn", ["--background", "1"], [[[0, 0, 0]], [[0, 0, 0]]]),
        ("irn", ["--alpha", "1"], [[[1, 1, 0]], [[2, 0, 0]]]),  # above .5
        ("seam", [], [[[1, 1, 0]], [[2, 2, 0]]]),  # above .26
        ("seam", ["--content", "cam", "--background", ".65"], [[[1, 0, 0]], [[2, 0, 0]]]),
        ("seam", ["--alpha", "4"], [[[1, 1, 0]], [[2, 2, 0]]]),  # .8⁴ = .41 > .2, .6⁴ = .13 < .4
        ("seam crf", [], [[[1, 1, 0]], [[2, 0, 0]]]),
        ("seam crf", ["--content", "crf"], [[[1, 1, 0]], [[2, 0, 0]]]),
        ("rsepm", [], [[[1, 1, 0]], [[2, 2, 0]]]),  # .8² = .64 > .2, .6² = .36 < .4
        ("rsepm", ["--background", ".65"], [[[1, 0, 0]], [[2, 0, 0]]]),
        ("png", [], list(MASKS.values())),
        ("png", ["--ignore", "1,0"], [[[255, 255, 255]], [[2, 255, 255]]]),
        ("dhr", ["--method", "RSEPM"], list(MASKS.values())),
    ],
)
def test_labels_by_hand(bring, kind, options, expected):
    target = bring(kind, *options)
    assert imported(target) == expected
    assert sorted(path.name for path in target.iterdir()) == ["a.png", "about.json", "b.png"]
    with Image.open(target / "a.png") as image:
        assert image.mode == "P" and tuple(image.getpalette()) == voc_palette()


@pytest.mark.parametrize(
    ("kind", "options", "refinement", "words"),
    [
        ("irn", [], "none", "irn scores of .*source; background score 0.15$"),
        ("seam", ["--alpha", "24"], "none", r"seam-cam scores of .*; background \(1 − max\)\^24$"),
        ("seam crf", [], "crf", "seam-crf scores of .*; their own background$"),
        ("png", [], None, "png masks of .*source$"),
        ("dhr", [], None, "dhr masks of .*source/VOC2012/RSEPM/train_aug$"),
    ],
)
def test_the_labels_say_how_they_were_made(bring, kind, options, refinement, words):
    facts = read_about(bring(kind, *options))
    assert facts.get("refinement") == refinement and re.fullmatch(words.rstrip("$"), facts["note"])


def test_facts_about_masks_go_with_them(bring, tmp_path):
    (tmp_path / "source").mkdir()
    png(tmp_path / "source")
    facts = {"refinement": "crf", "network": "teacher", "multi_scale": True, "note": "before"}
    (tmp_path / "source" / "about.json").write_text(json.dumps(facts))
    note = f"png masks of {tmp_path / 'source'}; before"
    assert read_about(bring("png", write=False)) == {**facts, "note": note}


def test_a_folder_of_ones_own_names_its_classes_where_it_lies(tmp_path):
    source, target = tmp_path / "source", tmp_path / "labels"
    source.mkdir()
    png(source)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    words = ["import", "png", str(source), str(target), "--data", "folder"]
    assert main([*words, "--root", str(tmp_path)]) == 0
    assert imported(target) == list(MASKS.values())
    (tmp_path / "classes.txt").write_text("cat\n")
    with pytest.raises(DataError, match=r"b\.png: holds code 2, the data 0 to 1"):
        main([*words, "--root", str(tmp_path)])
    with pytest.raises(DataError, match=r"--data folder: its classes\.txt lies in .*--root"):
        main(words)


def test_an_image_without_classes_is_background_of_its_images_size(bring, tmp_path):
    source, images = tmp_path / "source", tmp_path / "images"
    source.mkdir()
    images.mkdir()
    seam_cam(source)
    save(source / "b.npy", {})
    with pytest.raises(DataError, match=r"b\.npy: holds no class, so no size either; name the images by --images"):
        bring("seam", write=False)
    for name, size in (("a", (3, 1)), ("b", (2, 2))):
        Image.new("RGB", size).save(images / f"{name}.jpg")
    assert imported(bring("seam", "--images", images, write=False)) == [[[1, 1, 0]], [[0, 0], [0, 0]]]


def test_an_import_again_replaces_what_it_wrote(bring):
    bring("irn", "--background", "0")
    assert imported(bring("irn", "--background", "1", write=False)) == [[[0, 0, 0]], [[0, 0, 0]]]


def test_it_answers_without_torch_where_the_files_hold_none(tmp_path):
    (tmp_path / "source").mkdir()
    seam_cam(tmp_path / "source")
    words = ["labels", "import", "seam", str(tmp_path / "source"), str(tmp_path / "labels"), "--data", "voc"]
    code = (
        f"import sys\nfrom mars_pl.cli.main import main\nassert main({words!r}) == 0\n"
        "print([name for name in ('torch', 'pytorch_lightning', 'timm', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_rule_says_what_it_is():
    assert str(LabelRule(background=0.25)) == "background score 0.25"
    assert str(LabelRule(alpha=4)) == "background (1 − max)^4"
    assert str(LabelRule()) == "their own background"
