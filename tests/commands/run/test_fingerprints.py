"""A stage runs again when, and only when, what it is made of has changed; those after it follow."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.commands.run.test_order import BASELINE, PAPER, ROWS

MARS = {*PAPER[6:], "row final", "row complemented"}
AFTER_LABELS = MARS | {"debias-labels", "row debiased"}
AFTER_CENTROIDS = AFTER_LABELS | {"debias-centroids"}
AFTER_USS = AFTER_CENTROIDS | {"uss-fit"}
AFTER_WSSS = AFTER_CENTROIDS | {"wsss-labels", *BASELINE, "row baseline", "row pseudo", "row pseudo-baseline"}
EVERY = {*PAPER, *BASELINE, *(f"row {row}" for row in ROWS)}
LABELLED = EVERY - {"uss-fit", "uss-neighbours"}
MEASURED = {"wsss-labels", "debias-centroids", *(f"row {row}" for row in ROWS)}
FAR = 4_000_000_000


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


def shorter_list(name):
    def change(house):
        path = house.root / f"ImageSets/Segmentation/{name}.txt"
        path.write_text("\n".join(path.read_text().split()[1:]) + "\n")

    return change


def image_label(house):
    table = np.load(house.root / "cls_labels.npy", allow_pickle=True).item()
    first = next(iter(table))
    np.save(house.root / "cls_labels.npy", np.array(table | {first: table[first][::-1]}, dtype=object))


def true_mask(house):
    path = next((house.root / "SegmentationClass").iterdir())
    shutil.copy(next(path for path in (house.root / "SegmentationClassAug").iterdir()), path)
    os.utime(path, (1, 1))


def image_replaced(house):
    path = house.root / "JPEGImages/2007_000001.jpg"
    path.write_bytes(path.read_bytes() + b"more")


def image_removed(house):
    (house.root / "JPEGImages/2007_000004.jpg").unlink()  # of val


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (shorter_list("train_aug"), EVERY),
        (shorter_list("train"), {"row pseudo", "row debiased", "row complemented", "row pseudo-baseline"}),
        (shorter_list("all"), set()),
        (image_label, LABELLED),
        (true_mask, MEASURED),
        (image_replaced, EVERY),
        (image_removed, {"segment-masks mars", "segment-masks baseline", "row final", "row baseline"}),
    ],
)
def test_changed_data_rerun_what_reads_them(made, change, again):
    change(made)
    assert set(made.run()) == again
    assert made.run() == []


def test_an_xml_is_an_image_label_where_no_table_is(house):
    from tests.fakes.fake_tree import make_voc_tree

    make_voc_tree(house.root, 4, image_labels="xml")
    house.run()
    path = house.root / "Annotations/2007_000001.xml"
    path.write_text(path.read_text().replace("aeroplane", "bicycle"))
    assert house.run() == [], "cls_labels.npy is read, not the XML"
    (house.root / "cls_labels.npy").unlink()
    assert set(house.run()) == LABELLED
    path.write_text(path.read_text().replace("bicycle", "bird"))
    assert set(house.run()) == LABELLED
    unlabelled = ("wsss-classifier", "wsss-classifier.data.image_labels=none")
    assert house.run(*unlabelled) == ["wsss-classifier"]
    path.unlink()
    assert house.run(*unlabelled) == []


def test_a_mask_of_a_folder_of_labels_reruns_what_learns_from_it(house):
    shutil.copytree(house.root / "SegmentationClass", house.folder / "masks")
    first = house.run("labels=masks")
    assert not any(name.startswith("wsss") for name in first) and "row pseudo" in first
    assert house.run("labels=./masks") == [], "the same folder"
    (house.folder / "masks/note.txt").write_text("of ours")
    again = house.run("labels=masks")
    assert set(again) == set(first) - {"uss-neighbours", "uss-fit"}, "by names: another file is another folder"
    os.utime(house.folder / "masks/2007_000001.png", (1, 1))
    assert house.run("labels=masks") == again


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


def test_a_backbones_weights_are_known_by_what_they_hold(house):
    weights = house.folder / "weights/vit.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"one")
    house.yaml("backbone/mine").write_text("class_path: x.Y\ninit_args: {name: vit, weights: vit.safetensors}\n")
    house.run("backbone=mine")
    elsewhere = weights.rename(house.folder / "vit.safetensors")
    os.utime(elsewhere, (FAR, FAR))
    assert house.run("backbone=mine") == []
    Path(elsewhere).write_bytes(b"two")
    assert set(house.run("backbone=mine")) == AFTER_USS | {"uss-neighbours"}


def test_code_that_changes_results_raises_a_number(made, monkeypatch):
    from mars_pl.pipeline.maker import Maker

    plain = Maker.predict

    def newer(self, name, *arguments, **more):
        stage = plain(self, name, *arguments, **more)
        if name == "debias-labels":
            object.__setattr__(stage, "version", 2)
        return stage

    monkeypatch.setattr(Maker, "predict", newer)
    assert set(made.run()) == AFTER_LABELS
