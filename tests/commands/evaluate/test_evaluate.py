"""What ``mars evaluate`` prints and refuses, on masks of a few pixels."""

import subprocess
import sys

import numpy as np
import pytest

from datamodules import progress
from datamodules.errors import DataError
from datamodules.files.labels import write_label
from mars_pl.commands.evaluate.command import main, summary
from tests.commands.evaluate.masks import COMPANION, TRUTH, masks


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
