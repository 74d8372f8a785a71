"""The figures of ``mars evaluate``, counted by hand."""

import json

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.files.labels import as_label, write_label
from mars_pl.commands.evaluate.command import main
from tests.commands.evaluate.masks import COMPANION, REFERENCE, masks


def test_figures_by_hand(score):
    row = score()
    assert row["images"] == 2
    assert row["miou"] == pytest.approx((3 / 8 + 1 / 4 + 2 / 4) / 3)
    assert row["fp"] == pytest.approx((2 / 4 + 1 / 4) / 2)
    assert row["fn"] == pytest.approx((1 / 4 + 1 / 4) / 2)
    assert row["fp_all"] == pytest.approx((2 / 8 + 2 / 4 + 1 / 4) / 3)
    assert row["fn_all"] == pytest.approx((3 / 8 + 1 / 4 + 1 / 4) / 3)
    assert list(row["per_class"]) == ["background", "train", "sheep"]
    assert row["per_class"]["train"] == {"iou": 0.25, "fp": 0.5, "fn": 0.25}


def test_the_row_has_every_key_and_null_where_nothing_was_measured(score):
    row = score(names="background,train,sheep,boat")
    assert set(row) == {
        *("row", "split", "images", "miou", "fp", "fn", "fp_all", "fn_all", "companion", "kept"),
        *("refinement", "network", "multi_scale", "scales", "flip", "window", "resampling", "scored", "per_class"),
        "note",
    }
    unmeasured = (
        "row",
        "split",
        "companion",
        "kept",
        "refinement",
        "network",
        "scales",
        "flip",
        "window",
        "resampling",
    )
    assert all(row[key] is None for key in (*unmeasured, "note")) and row["multi_scale"] is False
    assert row["per_class"]["boat"] == {"iou": None, "fp": None, "fn": None}
    assert row["miou"] == pytest.approx(0.375)


def test_what_is_said_about_the_figures_is_passed_on(score):
    said = {"row": "final", "split": "val", "refinement": "crf", "network": "teacher", "note": "tuned on val"}
    options = [word for key, value in said.items() for word in (f"--{key}", value)]
    row = score(*options, "--multi-scale")
    assert {key: row[key] for key in said} == said and row["multi_scale"] is True
    row = score("--scales", "1,.5", "--no-flip")
    assert (row["scales"], row["flip"], row["multi_scale"]) == ([1.0, 0.5], False, True)


def test_companion_pixels_that_are_called_an_object(score, tmp_path):
    row = score("--companion", masks(tmp_path / "companion", COMPANION))
    assert row["companion"] == pytest.approx(3 / 4)  # a: both called 1; b: one called 2, one background
    assert row["per_class"]["train"]["companion"] == pytest.approx(3 / 4)
    assert row["per_class"]["sheep"]["companion"] is None
    assert "companion" not in row["per_class"]["background"]


def test_object_pixels_that_stay_right(score, tmp_path):
    row = score("--reference", masks(tmp_path / "reference", REFERENCE))
    assert row["kept"] == pytest.approx(2 / 4)  # a: one of two is 254 now; b: of the two right ones one is lost


def test_what_stays_right_is_told_of_each_class_and_of_the_scored_ones_together(score, tmp_path, capsys):
    reference = masks(tmp_path / "reference", {**REFERENCE, "b": [[0, 0, 0], [2, 2, 2]]})
    row = score("--reference", reference, "--scored", "sheep", names="train,sheep,boat")
    assert row["kept"] == pytest.approx(2 / 3)  # of class 1 it is one of two
    assert row["per_class"]["train"]["kept"] == pytest.approx(1 / 2)
    assert row["per_class"]["boat"]["kept"] is None and "kept" not in row["per_class"]["background"]
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["all", "pixels", "of", "scored", "classes", "–", "–", "–", "0.667"] in lines


def test_means_over_the_scored_classes(score):
    row = score("--scored", "sheep")
    assert row["scored"] == ["sheep"]
    assert (row["miou"], row["fp"], row["fn"]) == (0.5, 0.25, 0.25)
    assert set(row["per_class"]) == {"background", "train", "sheep"}
    assert score("--scored", "")["scored"] is None


def test_a_list_chooses_the_images(score, tmp_path):
    names = tmp_path / "val.txt"
    for line in ("b\n\n", "/JPEGImages/b.jpg /SegmentationClassAug/b.png\n"):
        names.write_text(line)
        row = score("--list", str(names))
        assert (row["images"], row["per_class"]["sheep"]["iou"], row["per_class"]["train"]["iou"]) == (1, 0.5, None)
    names.write_text("b\na\nb\n")
    with pytest.raises(DataError, match=r"val\.txt: b is listed more than once"):
        score("--list", str(names))


@pytest.mark.parametrize("workers", ["1", "3"])
def test_any_number_of_threads_gives_the_same(score, workers):
    assert score("--workers", workers) == score()


def test_names_of_a_known_data_set(folders, tmp_path):
    assert main([*folders, "--data", "voc", "--json", str(tmp_path / "voc.json")]) == 0
    row = json.loads((tmp_path / "voc.json").read_text())
    assert len(row["per_class"]) == 21 and row["per_class"]["aeroplane"]["iou"] == 0.25


def test_many_classes_are_scored_with_the_marks_of_sixteen_bits(tmp_path, capsys):
    names = ",".join(f"c{index}" for index in range(1, 301))
    for folder, rows in (("truth", [[0, 255, 255, 65535]]), ("predictions", [[65534, 255, 254, 300]])):
        (tmp_path / folder).mkdir()
        write_label(tmp_path / folder / "a.png", as_label(np.array(rows), 301))
    words = [str(tmp_path / "predictions"), str(tmp_path / "truth"), "--names", names, "--json", str(tmp_path / "row")]
    assert main(words) == 0
    row = json.loads((tmp_path / "row").read_text())
    assert row["per_class"]["background"]["iou"] == 1
    assert row["per_class"]["c255"]["iou"] == 0.5 and row["per_class"]["c254"]["fp"] == 1
    assert row["per_class"]["c300"]["iou"] is None
    with pytest.raises(DataError, match=r"a\.png: a label of these data is an 8-bit .* has 16 bits"):
        main([*words[:2], "--names", "c1,c2"])


def test_images_without_truth_are_left_out_where_that_is_asked_for(tmp_path, folders):
    (tmp_path / "list.txt").write_text("a\nb\n")
    (tmp_path / "truth" / "b.png").unlink()
    words = [*folders, "--names", "train,sheep", "--list", str(tmp_path / "list.txt")]
    with pytest.raises(DataError, match=r"truth/b\.png: no such label"):
        main(words)
    assert main([*words, "--where-truth", "--json", str(tmp_path / "row")]) == 0
    assert json.loads((tmp_path / "row").read_text())["images"] == 1
    (tmp_path / "truth" / "a.png").unlink()
    assert main([*words, "--where-truth", "--json", str(tmp_path / "row")]) == 0
    row = json.loads((tmp_path / "row").read_text())
    assert (row["images"], row["miou"], row["fp"]) == (0, None, None)
