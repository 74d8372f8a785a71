"""The selection in windows against that of a table in memory, and against the literal one."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from callbacks.writing.candidates import merged, parts
from callbacks.writing.candidates.merged import MergedParts
from callbacks.writing.candidates.selecting import TableSelection
from mars_pl.debias.centroids import Candidates
from mars_pl.debias.kinds.two_kinds import TwoKinds
from mars_pl.debias.selection import select_centroids
from tests.callbacks.writing.candidates.drawn import NAMES, draw_images, write_parts
from tests.callbacks.writing.candidates.tables import foreground, read_rows
from tests.debias import literal_selection as literal
from tests.fakes.predict_job import files


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(parts, "IMAGES", 9)
    monkeypatch.setattr(merged, "WINDOW", 8)


def in_memory(images):
    """The same candidates as one table in no order."""
    columns = ("classes", "clusters", "pixels", "vectors")
    tensors = (torch.from_numpy(np.concatenate([found[name] for _, found in images])) for name in columns)
    return Candidates(tuple(name for name, found in images for _ in found["classes"]), *tensors)


def stage(folder, images, processes=1, **settings):
    """Do what a job does with what its processes found."""
    parts.pack_rest(write_parts(folder, images, processes))
    TableSelection(MergedParts(parts.parts(folder)), NAMES, {"split": "train"}, **settings).write(folder)
    parts.remove_parts(folder)
    return folder


NOTHING = {name: value[:0] for name, value in draw_images(13, 1)[0][1].items()}

CASES = {
    "ties": (draw_images(0, 90, dim=2), {}),
    "mean": (draw_images(1, 90), {}),
    "all": (draw_images(2, 90), {"alpha": 1.0}),
    "minimum": (draw_images(3, 90), {"distance": "minimum"}),
    "nearest": (draw_images(4, 90), {"distance": "nearest", "nearest_count": 3}),
    "without truth": (draw_images(5, 40, truth=False), {}),
    "windows without a candidate": (draw_images(12, 5, least=1) + [(f"a{n}", NOTHING) for n in range(30)], {}),
    "few": (draw_images(6, 3, least=1), {}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_as_in_memory_to_the_last_bit(tmp_path, name):
    images, settings = CASES[name]
    folder = stage(tmp_path / "stage", images, 2, **settings)
    whole = select_centroids(in_memory(images), len(NAMES), **settings)
    written = load_file(folder / "centroids.safetensors")
    assert torch.equal(written["centroids"], whole.centroids) and torch.equal(written["counts"], whole.counts)
    table = foreground(folder)
    assert [row["id"] for row in table] == list(whole.foreground.ids)
    assert [row["distance"] for row in table] == whole.distances.tolist()
    assert [row["selected"] for row in table] == whole.selected.tolist()
    assert [row["vector"] for row in table] == whole.foreground.vectors.tolist()
    assert [row["pixels"] for row in table] == whole.foreground.pixels.tolist()
    rows = read_rows(folder)
    assert [row["id"] for row in rows if not row["class"]] == list(whole.background.ids)
    assert torch.equal(whole.selected, literal.select(whole.foreground, whole.distances, settings.get("alpha", 0.4)))


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_do_not_show_in_any_byte(tmp_path, processes):
    images = draw_images(7, 60)
    folders = [stage(tmp_path / str(count), images, count) for count in (1, processes)]
    assert files(folders[0]) == files(folders[1])
    assert set(files(folders[0])) == {"candidates.parquet", "centroids.safetensors", "selection.json"}


def test_the_paper_selection_adds_nothing_to_its_file_and_two_kinds_add_theirs(tmp_path):
    images = draw_images(14, 60)
    plain, parted = (stage(tmp_path / str(kinds), images, parting=kinds) for kinds in (None, TwoKinds(most=20)))
    assert load_file(plain / "centroids.safetensors").keys() == {"centroids", "counts"}
    tensors = load_file(parted / "centroids.safetensors")
    assert tensors.keys() == {"centroids", "counts", "targets", "biased", "background", "whole"}
    figures = json.loads((parted / "selection.json").read_text())
    assert "kinds" not in json.loads((plain / "selection.json").read_text())
    assert figures["kinds"].keys() <= set(NAMES[1:]) and figures["kinds"]
    for index, name in enumerate(NAMES):
        assert bool(tensors["whole"][index]) != figures["kinds"].get(name, {"parted": False})["parted"]


@pytest.mark.parametrize("settings", [{"companion": 0.0}, {"companion": 2.0, "effect": 1e9}], ids=["parted", "whole"])
def test_two_kinds_select_the_far_kind_or_all(tmp_path, settings):
    folder = stage(tmp_path, draw_images(15, 90), 2, alpha=1.0, parting=TwoKinds(**settings))
    biased = load_file(folder / "centroids.safetensors")["biased"]
    table = foreground(folder)
    for index in {row["class"] for row in table}:
        chosen = [row["selected"] for row in table if row["class"] == index]
        assert all(chosen) != bool(biased[index].any())
    assert all(row["selected"] for row in table) == ("effect" in settings)


@pytest.mark.parametrize("processes", [1, 3])
def test_processes_and_windows_do_not_show_in_two_kinds(tmp_path, monkeypatch, processes):
    images, parting = draw_images(16, 80), TwoKinds(companion=0.0, most=30)
    first = stage(tmp_path / "first", images, parting=parting)
    monkeypatch.setattr(merged, "WINDOW", 17)
    other = stage(tmp_path / "other", images, processes, parting=parting)
    for name in ("centroids.safetensors", "selection.json"):
        assert (first / name).read_bytes() == (other / name).read_bytes()


def test_the_counts_are_those_of_the_table(tmp_path):
    stage(tmp_path, draw_images(8, 80), 2)
    figures = json.loads((tmp_path / "selection.json").read_text())
    table = foreground(tmp_path)
    chosen = [row for row in table if row["selected"]]

    def share(rows):
        targets = sum(row["iou"] is not None and row["iou"] > 0.3 for row in rows)
        biased = sum(row["iou"] is not None and row["iou"] < 0.1 for row in rows)
        return targets / (targets + biased) if targets + biased else None

    for index, name in enumerate(NAMES[1:], start=1):
        before, after = ([row for row in rows if row["class"] == index] for rows in (table, chosen))
        assert figures["candidates_per_class"][name] == len(before)
        assert figures["selected_per_class"][name] == len(after)
        assert figures["target_share_before"][name] == share(before)
        assert figures["target_share"][name] == share(after)
    assert figures["target_share"]["all"] == share(chosen)
    assert (figures["candidates"], figures["selected"]) == (len(table), len(chosen))
    assert figures["background"] == len(read_rows(tmp_path)) - len(table)
    assert figures["images_with_truth"] == len({row["id"] for row in table if row["iou"] is not None})
    assert figures["images"] == 80 and figures["empty_regions"] == {"class 8": 20}
    assert figures["targets"] == sum((row["iou"] or 0) > 0.3 for row in table)


def test_row_groups_are_those_of_windows_and_know_their_ids(tmp_path):
    images = draw_images(9, 30, least=1)
    stage(tmp_path, images)
    about = pq.ParquetFile(tmp_path / "candidates.parquet").metadata
    ids = sorted(name for name, _ in images)
    assert about.num_row_groups == 4
    found = [about.row_group(group).column(0).statistics for group in range(4)]
    assert [(one.min, one.max) for one in found] == [(ids[at], ids[min(at + 7, 29)]) for at in range(0, 30, 8)]


def test_background_or_objects_alone_are_an_error(tmp_path):
    for kept, words in ((0, "0 foreground"), (1, "0 background and")):
        images = []
        for name, found in draw_images(10, 12, least=1):
            rows = (found["classes"] > 0) == bool(kept)
            columns = {key: value[rows] for key, value in found.items() if key != "empty"}
            images.append((name, columns | {"empty": []}))
        with pytest.raises(ValueError, match=words):
            stage(tmp_path / str(kept), images)


def test_what_is_no_number_is_written_as_such_and_reaches_the_centroid(tmp_path):
    images = draw_images(11, 12, least=1)
    first = next(found for _, found in images if (found["classes"] > 0).any())
    row = int((first["classes"] > 0).argmax())
    first["vectors"][row] = np.nan
    stage(tmp_path, images)
    assert load_file(tmp_path / "centroids.safetensors")["centroids"][int(first["classes"][row])].isnan().all()
    assert sum(row["distance"] != row["distance"] for row in foreground(tmp_path)) == 1
