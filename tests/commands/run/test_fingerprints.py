"""A stage runs again when, and only when, what it is made of has changed; those after it follow."""

import os
import shutil

import pytest

from mars_pl.pipeline import maker
from tests.commands.run.names import AFTER_CENTROIDS, AFTER_LABELS, AFTER_USS, AFTER_WSSS, BASELINE, EVERY, FAR, MARS


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def comment(house):
    for path in files(house.configs()):
        path.write_text(f"# a comment\n{path.read_text()}\n# another\n")


def touch(house):
    for path in files(house.configs()):
        path.touch()


def note(house):
    for folder in house.stages():
        (folder / "note.txt").write_text("looked at on Tuesday")
        (folder / "stage.json").unlink()


def clock_ahead(house):
    for path in [*files(house.configs()), *files(house.folder / "runs")]:
        os.utime(path, (FAR, FAR))


def other_files(house):
    (house.root / "README").write_text("about")
    (house.yaml("wsss/mine")).write_text("model: {}")
    (house.root / "SegmentationClass/.DS_Store").write_text("left by a file browser")


@pytest.mark.parametrize("change", [comment, touch, note, clock_ahead, other_files])
def test_what_changes_no_result_runs_nothing(made, change):
    change(made)
    assert made.run() == []


def test_a_copy_of_the_house_in_another_place_runs_nothing(made, tmp_path):
    copy = made.copied(tmp_path / "elsewhere" / "a copy")
    shutil.rmtree(made.folder)
    assert copy.run() == []
    assert copy.run(f"data_root={copy.root}") == [], "a whole path to the same data is no other data"


@pytest.mark.parametrize(
    "words",
    [
        ["segment.data.workers=7", "debias-labels.writer.workers=0"],
        ["segment.trainer.enable_progress_bar=false"],
        ["launch=nice -n 5"],
        ["-j", "2"],
        ["run=other"],
        ["data_root=./data/voc/"],
    ],
)
def test_words_that_change_no_result_run_nothing(made, words):
    assert made.run(*words) == []


@pytest.mark.parametrize(
    ("yaml", "again"),
    [
        ("wsss/cam", AFTER_WSSS | {"wsss-classifier"}),
        ("wsss/cam_labels", AFTER_WSSS),
        ("uss/neighbours", AFTER_USS | {"uss-neighbours"}),
        ("uss/stego", AFTER_USS),
        ("backbone/vit_base_patch8_dino", AFTER_USS | {"uss-neighbours"}),
        ("uss/features_stego", AFTER_CENTROIDS),
        ("debias/centroids", AFTER_CENTROIDS),
        ("debias/labels", AFTER_LABELS),
        ("train/mars", MARS),
        ("segment/predictions", {"segment-masks mars", "segment-masks baseline", "row final", "row baseline"}),
        ("segment/complemented", {"segment-complemented mars", "row complemented"}),
        ("train/baseline", {*BASELINE, "row baseline"}),
        ("train/supervised", set()),
        ("backbone/vit_scenes", set()),
        ("trainer/gpu", set()),
        ("trainer/cpu", EVERY),
    ],
)
def test_a_changed_value_in_a_yaml_reruns_its_stage_and_those_after(made, yaml, again):
    before = made.yaml(yaml).read_text()
    made.yaml(yaml).write_text(f"{before}\nadded: 1\n")
    assert set(made.run()) == again
    made.yaml(yaml).write_text(before)
    assert made.run() == [], "what was made of the old value is kept, and found again"


def test_code_that_changes_results_raises_a_number(made, monkeypatch):
    monkeypatch.setitem(maker.VERSIONS, "debias-labels", maker.VERSIONS.get("debias-labels", 1) + 1)
    assert set(made.run()) == AFTER_LABELS
