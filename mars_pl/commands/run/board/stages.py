"""What one finished stage shows: its figures, its images, and for a fit that logged nothing itself its curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datamodules.files.shards.place import place as files_at
from datamodules.files.tree import Tree
from mars_pl.commands.evaluate.mask_folders import Folders
from mars_pl.commands.run.board.figures import csv_rows, stage_figures
from mars_pl.commands.run.board.images import most_biased, worst
from mars_pl.dashboards.items import Items
from mars_pl.pipeline.execution.fingerprint import split_of
from mars_pl.pipeline.execution.places import Place, Places
from mars_pl.pipeline.execution.words import text_of
from mars_pl.pipeline.settings.resolved import resolve
from mars_pl.pipeline.stages.debiasing import DEBIASED

STEP = "trainer/global_step"
"""What Lightning's logger for Weights & Biases calls the axis of a fit."""

LABELS = ("wsss-labels", *DEBIASED, "segment-complemented", "segment-labels", "segment-masks")
"""Stages whose folders hold labels or masks."""


def stage_items(place: Place, places: Places, names: Sequence[str]) -> list[Items]:
    """Return what a stage shows, step by step; nothing where it has nothing to show.

    Args:
        place: of the finished stage.
        places: of what it read.
        names: of the classes, background first.
    """
    stage, folder = place.stage, place.folder
    if stage.job == "fit":
        log = folder / "metrics.csv"
        rows = csv_rows(log) if log.is_file() else []
        return [{STEP if name == "step" else name: value for name, value in row.items()} for row in rows]
    items = stage_figures(stage.name, folder)
    tree = Tree(stage.root)
    ids = tree.ids(split_of(stage, resolve(stage.yamls, stage.options)))
    if stage.job == "evaluate":
        truth = files_at(text_of(stage.options["truth"], places))
        masks = files_at(text_of(stage.options["predictions"], places))
        shown = {"truth": truth, str(stage.options["row"]): masks}
        items["worst_images"] = worst(tree, ids, Folders(masks, truth), names, shown)
    elif stage.name in DEBIASED:
        labels, pseudo = files_at(folder), files_at(text_of(stage.options["data.label_folder"], places))
        items["most_biased_images"] = most_biased(tree, ids, labels, names, {"Yᵇ": pseudo, "Yᵈᵇ": labels})
    return [items] if items else []


def stage_artifacts(place: Place) -> dict[Path, str]:
    """Return the files and folders that others can go on with, and their kind."""
    stage, folder = place.stage, place.folder
    if stage.name in LABELS:
        return {folder: "labels"}
    if stage.name == "debias-centroids":
        return {folder / "centroids.safetensors": "centroids"}
    return dict.fromkeys(sorted(folder.glob("*.safetensors")), "weights") if stage.job == "fit" else {}
