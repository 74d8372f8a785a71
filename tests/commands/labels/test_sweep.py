"""The sweep of a background score while labels are imported, with figures by hand."""

import json

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.files.about import read_about
from datamodules.files.labels import write_label
from mars_pl.commands.labels.command import main
from tests.commands.labels.foreign_labels import MASKS, imported, irn


def test_the_sweep_by_hand(bring, truth, listed, capsys):
    target = bring("irn", "--sweep", ".1,.3,.5,.8", "--truth", truth, "--list", listed("a", "b"))
    sweep = json.loads((target / "sweep.json").read_text())
    assert {key: sweep[key] for key in ("split", "images", "refinement", "chosen")} == {
        "split": "train",
        "images": 2,
        "refinement": "none",
        "chosen": 0.5,
    }
    # .1: a 1 1 1, b 2 2 0; .3: a 1 1 0, b 2 2 0; .5: as the truth; .8: a 1 0 0, b 0 0 0
    expected = [
        (0.1, (0 + 2 / 3 + 1 / 2) / 3, (1 / 3 + 1 / 2) / 2, 0),
        (0.3, (1 / 2 + 1 + 1 / 2) / 3, (0 + 1 / 2) / 2, 0),
        (0.5, 1, 0, 0),
        (0.8, (1 / 2 + 1 / 2 + 0) / 3, 0, (1 / 2 + 1) / 2),
    ]
    rows = [tuple(row[key] for key in ("background", "miou", "fp", "fn")) for row in sweep["scores"]]
    assert rows == [pytest.approx(row) for row in expected]
    assert imported(target) == [[[1, 1, 0]], [[2, 0, 0]]]
    source = target.parent / "source"
    assert read_about(target)["note"] == f"irn scores of {source}; background score 0.5, chosen on train (2 images)"
    printed = capsys.readouterr().out
    words = [line.split() for line in printed.splitlines()]
    assert ["0.3", "66.7", "0.250", "0.000", "█" * 13] in words
    assert ["0.5", "100.0", "←", "0.000", "0.000", "█" * 20] in words
    assert "background score 0.5, chosen on train (2 images)" in printed


def test_a_score_that_is_set_is_kept(bring, truth, capsys):
    options = ["--sweep", ".3:.5:.1", "--truth", truth, "--split", "train", "--background", ".65"]
    target = bring("seam", *options)
    sweep = json.loads((target / "sweep.json").read_text())
    assert sweep["chosen"] is None and [row["background"] for row in sweep["scores"]] == [0.3, 0.4, 0.5]
    assert imported(target) == [[[1, 0, 0]], [[2, 0, 0]]]
    assert "background score 0.65, swept on train (2 images), set beforehand" in capsys.readouterr().out


def test_the_sweep_takes_the_images_of_its_list(bring, truth, listed):
    (truth / "b.png").unlink()
    options = ["--sweep", ".65,.1", "--truth", truth, "--sweep-list", listed("a", name="val")]
    target = bring("irn", *options)
    sweep = json.loads((target / "sweep.json").read_text())
    # .65: IoU 1/2 and 1/2; .1: 0 and 2/3
    assert (sweep["split"], sweep["images"], sweep["chosen"]) == ("val", 1, 0.65)
    assert imported(target) == [[[1, 0, 0]], [[2, 0, 0]]]


def test_a_split_of_which_a_part_has_truth_says_so(bring, truth, listed):
    (truth / "b.png").unlink()
    target = bring("irn", "--sweep", ".5", "--truth", truth, "--list", listed("a", "b", name="train_aug"))
    sweep = json.loads((target / "sweep.json").read_text())
    assert (sweep["split"], sweep["images"]) == ("train_aug where there is truth", 1)


def test_what_was_not_measured_is_null(bring, truth):
    for name in MASKS:
        write_label(truth / f"{name}.png", np.zeros((1, 3)))
    target = bring("irn", "--sweep", "1", "--truth", truth, "--split", "train")
    assert json.loads((target / "sweep.json").read_text())["scores"] == [
        {"background": 1.0, "miou": 1.0, "fp": None, "fn": None}
    ]


def test_means_over_the_scored_classes_of_a_data_yaml(bring, truth, tmp_path):
    yaml = tmp_path / "data.yaml"
    yaml.write_text("data: {init_args: {class_names: [background, cat, dog], scored_classes: [dog]}}")
    source, target = tmp_path / "source", tmp_path / "labels"
    source.mkdir()
    irn(source)
    words = ["--data", str(yaml), "--sweep", ".3", "--truth", str(truth), "--split", "train"]
    assert main(["import", "irn", str(source), str(target), *words]) == 0
    assert json.loads((target / "sweep.json").read_text())["scores"][0]["miou"] == 0.5


@pytest.mark.parametrize(
    ("write", "options", "complaint"),
    [
        (lambda truth: write_label(truth / "a.png", np.zeros((2, 2))), [], r"a\.png: the truth has 2×2 .* 3×1"),
        (lambda truth: write_label(truth / "a.png", np.full((1, 3), 9)), [], r"a\.png: the truth holds 9, .*--data"),
        (
            lambda truth: [write_label(truth / f"{name}.png", np.full((1, 3), 255)) for name in MASKS],
            [],
            "255 everywhere",
        ),
        (lambda truth: (truth / "b.png").unlink(), ["--sweep-list", "{list}"], r"truth/b\.png: no such file"),
    ],
)
def test_a_truth_that_does_not_fit_is_named(bring, truth, listed, write, options, complaint):
    write(truth)
    words = [option.format(list=listed("a", "b")) for option in options]
    with pytest.raises(DataError, match=complaint):
        bring("irn", "--sweep", ".1,.2", "--truth", truth, "--split", "train", *words)
