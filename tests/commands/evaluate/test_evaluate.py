"""``mars evaluate`` on masks of a few pixels, with figures by hand."""

import json
import subprocess
import sys

import numpy as np
import pytest

from datamodules import progress
from datamodules.errors import DataError
from datamodules.files.labels import as_label, write_label
from mars_pl.commands.evaluate.command import main, summary

TRUTH = {"a": [[0, 0, 0], [1, 1, 255]], "b": [[0, 0, 0], [2, 2, 2]]}
PREDICTION = {"a": [[0, 1, 1], [1, 254, 1]], "b": [[0, 0, 2], [2, 2, 0]]}
# confusion: 0→0 3, 0→1 2, 0→2 1; 1→1 1, 1→0 1 (the 254); 2→2 2, 2→0 1
# T = 6, 2, 3; P = 5, 3, 3; TP = 3, 1, 2; U = 8, 4, 4
COMPANION = {"a": [[0, 1, 1], [0, 0, 0]], "b": [[1, 0, 1], [0, 0, 0]]}
REFERENCE = {"a": [[1, 1, 1], [1, 1, 1]], "b": [[0, 0, 0], [1, 2, 2]]}


def masks(folder, content):
    folder.mkdir()
    for name, rows in content.items():
        write_label(folder / f"{name}.png", np.array(rows, dtype=np.uint8))
    return str(folder)


@pytest.fixture
def folders(tmp_path):
    return [masks(tmp_path / "predictions", PREDICTION), masks(tmp_path / "truth", TRUTH)]


@pytest.fixture
def score(folders, tmp_path):
    def run(*options, names="train,sheep"):
        target = tmp_path / "out" / "row.json"
        assert main([*folders, "--names", names, "--json", str(target), *options]) == 0
        assert [path.name for path in target.parent.iterdir()] == ["row.json"]
        return json.loads(target.read_text())

    return run


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
        *("row", "split", "images", "miou", "fp", "fn", "fp_all", "fn_all", "companion", "kept", "kept_scored"),
        *("refinement", "network", "multi_scale", "scales", "flip", "window", "resampling", "scored", "per_class"),
        "note",
    }
    unmeasured = (
        "row",
        "split",
        "companion",
        "kept",
        "kept_scored",
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


def test_what_stays_right_is_told_of_each_class_and_of_the_scored_ones(score, tmp_path, capsys):
    reference = masks(tmp_path / "reference", {**REFERENCE, "b": [[0, 0, 0], [2, 2, 2]]})
    row = score("--reference", reference, "--scored", "sheep", names="train,sheep,boat")
    assert row["kept"] == pytest.approx(3 / 5)  # of class 1 one of two, of class 2 two of three
    assert row["kept_scored"] == pytest.approx(2 / 3)
    assert row["per_class"]["train"]["kept"] == pytest.approx(1 / 2)
    assert row["per_class"]["boat"]["kept"] is None and "kept" not in row["per_class"]["background"]
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["all", "pixels", "–", "–", "–", "0.600"] in lines
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


def test_the_table_is_plain_and_narrow(score, tmp_path, capsys):
    score("--companion", masks(tmp_path / "companion", COMPANION), "--split", "train", "--note", "say [so]")
    printed = capsys.readouterr().out
    assert "\x1b" not in printed and max(map(len, printed.splitlines())) <= 100
    words = [line.split() for line in printed.splitlines()]
    assert ["train", "25.0", "0.500", "0.250", "0.750"] in words
    assert ["mean,", "foreground", "–", "0.375", "0.250", "–"] in words
    assert "say [so]" in printed
    assert "mIoU 37.5 %  FP .375  FN .250  companion .750" in printed.splitlines()[-1]


def test_the_line_to_remember():
    row = {"miou": 0.796, "fp": 0.127, "fn": 0.077, "companion": None, "kept": None}
    assert summary(row) == "mIoU 79.6 %  FP .127  FN .077"
    assert summary({**row, "fp": 1.0, "fn": None, "kept": 0.98}) == "mIoU 79.6 %  FP 1.000  FN –  kept .980"


def test_names_of_a_known_data_set(folders, tmp_path):
    assert main([*folders, "--data", "voc", "--json", str(tmp_path / "voc.json")]) == 0
    row = json.loads((tmp_path / "voc.json").read_text())
    assert len(row["per_class"]) == 21 and row["per_class"]["aeroplane"]["iou"] == 0.25


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda root: (root / "truth/b.png").unlink(), "truth/b.png: no such label"),
        (
            lambda root: [(root / f"truth/{name}.png").unlink() for name in "ab"],
            r"truth/a.png: no such label.* \(2 of 2 files are at fault, this is the first\)",
        ),
        (lambda root: write_label(root / "truth/b.png", np.full((2, 3), 7)), "truth/b.png: the truth holds 7"),
        (lambda root: write_label(root / "predictions/b.png", np.full((2, 3), 7)), "predictions/b.png: holds 7"),
        (lambda root: write_label(root / "predictions/b.png", np.zeros((3, 4))), "predictions/b.png: .* 4×3 and 3×2"),
    ],
)
def test_a_fault_in_the_files_is_one_line_that_names_the_file(folders, tmp_path, spoil, complaint):
    spoil(tmp_path)
    target = tmp_path / "row.json"
    with pytest.raises(DataError, match=complaint) as caught:
        main([*folders, "--names", "train,sheep", "--json", str(target)])
    assert "\n" not in str(caught.value) and not target.exists()


def test_a_fault_in_the_options_is_named(folders, tmp_path):
    with pytest.raises(DataError, match="--scored cow: no such class; there are background, train, sheep"):
        main([*folders, "--names", "train,sheep", "--scored", "cow"])
    with pytest.raises(DataError, match=r"nowhere\.txt: no such list"):
        main([*folders, "--names", "train,sheep", "--list", str(tmp_path / "nowhere.txt")])
    (tmp_path / "empty.txt").touch()
    with pytest.raises(DataError, match=r"empty\.txt: the list is empty"):
        main([*folders, "--names", "train,sheep", "--list", str(tmp_path / "empty.txt")])
    with pytest.raises(DataError, match=r"holds no <image id>\.png"):
        main([str(tmp_path), folders[1], "--names", "train,sheep"])
    (tmp_path / "list.txt").write_text("a\nc\n")
    masks(tmp_path / "more", {"c": TRUTH["a"], "a": TRUTH["a"]})
    with pytest.raises(DataError, match=r"predictions/c\.png: no such label"):
        main([folders[0], str(tmp_path / "more"), "--names", "train,sheep", "--list", str(tmp_path / "list.txt")])


@pytest.mark.parametrize(("patience", "shown"), [(0.0, True), (60.0, False)])
def test_only_a_long_evaluation_shows_its_progress(score, monkeypatch, capsys, patience, shown):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the captured output for a terminal
    monkeypatch.setattr(progress, "PATIENCE", patience)
    score()
    assert ("scoring" in capsys.readouterr().err) == shown


def test_it_answers_without_torch_lightning_or_timm():
    code = (
        "import sys, mars_pl.commands.evaluate.command; "
        "print([name for name in ('torch', 'pytorch_lightning', 'timm', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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


def test_truth_and_masks_without_any_class_are_said_to_measure_the_background_alone(tmp_path, capsys):
    folders = [masks(tmp_path / name, {"a": [[0, 255, 0]], "b": [[255, 0, 0]]}) for name in ("predictions", "truth")]
    assert main([*folders, "--names", "cup"]) == 0
    assert "no pixel of any class in truth or masks: background alone was measured" in capsys.readouterr().out
    write_label(tmp_path / "truth" / "a.png", np.array([[0, 1, 0]]))
    assert main([*folders, "--names", "cup"]) == 0
    assert "background alone" not in capsys.readouterr().out


def test_a_class_name_is_no_markup(tmp_path, capsys):
    folders = [masks(tmp_path / name, {"a": [[0, 1]]}) for name in ("predictions", "truth")]
    assert main([*folders, "--names", "[/red] :cat:", "--split", "[bold]val"]) == 0
    printed = capsys.readouterr().out
    assert "[/red] :cat:" in printed and "[bold]val" in printed
