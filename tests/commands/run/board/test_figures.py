"""What stages left, read back from an offline run: sweep, candidates, removed pixels, rows, images of any size."""

import json

import numpy as np
import pytest
from PIL import Image

from datamodules.files.labels import BIASED, write_label
from datamodules.files.tree import Tree
from mars_pl.commands.evaluate.mask_folders import Folders
from mars_pl.commands.report.selection import spread_candidates
from mars_pl.commands.run.board.figures import evenly, stage_figures
from mars_pl.commands.run.board.images import most_biased, overlay, worst
from mars_pl.dashboards.identity import Identity
from mars_pl.dashboards.session import log, opened
from tests.callbacks.writing.candidates.tables import write_table
from tests.dashboards.offline_run import read_offline_runs

NAMES = ("background", "cup", "<b>lamp</b>")
IDS = ["shelf/a b", "shelf/ü?", "c"]


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Three images of several sizes in sub-folders; of the second all is removed, of the third a half."""
    root = tmp_path_factory.mktemp("data")
    for index, image_id in enumerate(IDS):
        height, width = 6 + 2 * index, 8 + index
        for folder in ("JPEGImages", "truth", "labels"):
            (root / folder / image_id).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (width, height), (40 * index, 90, 90)).save(root / f"JPEGImages/{image_id}.jpg")
        truth = np.ones((height, width), np.uint8)
        label = truth.copy()
        label[: (0, height, height // 2)[index]] = BIASED
        write_label(root / f"truth/{image_id}.png", truth)
        write_label(root / f"labels/{image_id}.png", label)
    return Tree(root, {image_id: f"JPEGImages/{image_id}.jpg" for image_id in IDS})


@pytest.fixture(scope="module")
def run(tree, tmp_path_factory):
    """The offline run in which everything was logged."""
    house = tmp_path_factory.mktemp("house")
    scores = [
        {"background": 0.1, "miou": 0.3, "fp": 0.5, "fn": 0.2},
        {"background": 0.2, "miou": 0.4, "fp": 0.3, "fn": 0.3},
    ]
    write(house / "labels/sweep.json", {"scores": scores})
    per_class = {"candidates_per_class": {"cup": 2, NAMES[2]: 1}, "selected_per_class": {"cup": 1, NAMES[2]: 0}}
    shares = {"target_share": {"all": 1.0, "cup": 1.0, NAMES[2]: None}, "target_share_before": {"all": 0.5, "cup": 0.5}}
    write(house / "centroids/selection.json", {"candidates": 3, "alpha": 0.4, **per_class, **shares})
    rows = [("c", 1, 0, 9, 0.5, 1, 0.8), ("c", 1, 1, 7, 0.1, 0, 0.05), ("shelf/a b", 2, 0, 4, 0.3, 0, None)]
    write_table(house / "centroids", NAMES, rows)
    removed = {"removed": {"all": 0.4, "cup": 0.4, NAMES[2]: None}, "pixels": {"all": 10, "cup": 10, NAMES[2]: 0}}
    write(house / "debias/removed.json", removed | {"pixels_removed": {"all": 4, "cup": 4, NAMES[2]: 0}})
    figures = {
        "cup": {"iou": 0.5, "fp": 0.2, "fn": 0.3, "companion": 0.1},
        NAMES[2]: {"iou": None, "fp": None, "fn": None},
    }
    means = {"miou": 0.5, "fp": 0.2, "fn": 0.3, "kept": 0.95, "images": 3}
    write(house / "row/row.json", means | {"per_class": figures})
    masks = {"truth": tree.root / "truth", "Yᵈᵇ": tree.root / "labels"}
    with opened(Identity("offline", str(house / "runs/own"), "all", "own", "test", "all of it")) as there:
        for stage, folder in (
            ("wsss-labels", "labels"),
            ("debias-centroids", "centroids"),
            ("debias-labels", "debias"),
            ("row", "row"),
        ):
            log(there, stage_figures(stage, house / folder), NAMES)
        tables = {"most_biased": most_biased(tree, IDS, masks["Yᵈᵇ"], NAMES, masks)}
        tables["worst"] = worst(tree, IDS, Folders(masks["Yᵈᵇ"], masks["truth"]), NAMES, masks)
        log(there, tables | {f"overlays/{image_id}": overlay(tree, image_id, masks) for image_id in IDS}, NAMES)
    (found,) = read_offline_runs(house / "runs/own")
    return found


def test_the_sweep_is_a_curve_over_the_background_score(run):
    assert run.curve("sweep/background") == [0.1, 0.2] and run.curve("sweep/miou") == [0.3, 0.4]
    assert run.curve("sweep/fp") == [0.5, 0.3] and run.curve("sweep/fn") == [0.2, 0.3]


def test_candidates_their_distances_and_target_shares(run):
    lines = run.table("candidates_table")
    assert [line["kind"] for line in lines] == ["target", "biased", "unknown"]
    assert [line["distance"] for line in lines] == [0.5, 0.1, 0.3] and [line["selected"] for line in lines] == [
        True,
        False,
        False,
    ]
    assert sum(run.last("distance/cup/values")) == 2 and sum(run.last("distance/_b_lamp_/b_/values")) == 1
    assert run.last("target_share/cup") == 1 and run.last("target_share_before/cup") == 0.5
    assert run.table("classes")[1] == dict(
        zip(
            ("class", "candidates", "selected", "target_share_before", "target_share"),
            (NAMES[2], 1, 0, None, None),
            strict=True,
        )
    )


def test_of_many_images_so_many_are_shown_evenly():
    many = list(range(25_001))
    assert len(evenly(many, 24)) == 24 and evenly(many, 2) == [0, 12_500] and evenly([1, 2], 3) == [1, 2]


def test_of_many_candidates_an_even_sample_is_shown(tmp_path):
    rows = [(f"{place:02}", place % 3, 0, 4, 0.1, 0, None) for place in range(30)]
    table = write_table(tmp_path, NAMES, rows)
    every = [row[0] for row in rows if row[1]]
    assert [one.image_id for one in spread_candidates(table, len(every), 100)] == every
    assert [one.image_id for one in spread_candidates(table, len(every), 20)] == every
    assert [one.image_id for one in spread_candidates(table, len(every), 4)] == every[4::5]


def test_what_was_removed_and_a_row_with_every_class(run):
    assert run.last("removed/cup") == 0.4 and [line["pixels_removed"] for line in run.table("removed_table")] == [
        4,
        4,
        0,
    ]
    assert (run.last("miou"), run.last("kept"), run.last("fp/cup"), run.last("fn/cup")) == (0.5, 0.95, 0.2, 0.3)
    lines = {line["class"]: line for line in run.table("per_class")}
    assert lines["cup"]["iou"] == 0.5 and lines["cup"]["companion"] == 0.1 and lines[NAMES[2]]["iou"] is None


def test_images_with_most_removed_and_least_iou_come_first_with_their_masks(run):
    assert [(line["image"], line["removed"]) for line in run.table("most_biased")] == [
        (IDS[1], 1.0),
        (IDS[2], 0.5),
        (IDS[0], 0.0),
    ]
    lines = run.table("worst")
    assert [line["image"] for line in lines] == [IDS[1], IDS[2], IDS[0]] and lines[2]["miou"] == 1
    assert lines[1]["fn"] == 0.5 and lines[1]["classes"] == "cup"
    files = run.artifacts["run-all-worst"]  # where a table's pictures lie
    pictures = [file for file in files if file.endswith(".png") and "/mask/" not in file]
    assert len(pictures) == 3 and any(file.endswith(".mask.png") for file in files)


def test_each_image_has_a_viewer_of_its_own_size(run):
    widths = {image_id: run.last(f"overlays/{image_id.replace('?', '_')}/width") for image_id in IDS}
    assert widths == {IDS[0]: 8, IDS[1]: 9, IDS[2]: 10}
    assert run.class_labels["overlays/shelf/a b Yᵈᵇ"]["2"] == NAMES[2]
    assert run.class_labels["overlays/shelf/a b Yᵈᵇ"][str(BIASED)] == "biased (removed)"


def test_labels_by_a_probe_are_told_as_those_of_eq_5(tmp_path):
    write(tmp_path / "removed.json", {"removed": {"cup": 0.4}, "pixels": {"cup": 10}, "pixels_removed": {"cup": 4}})
    told = stage_figures("debias-labels", tmp_path)
    assert told and stage_figures("debias-probed", tmp_path).keys() == told.keys()
