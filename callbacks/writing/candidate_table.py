"""The files of the centroids stage: all candidates, which were selected, and how well (paper §3.2, §4.3)."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_utilities.core.rank_zero import rank_zero_warn
from rich.table import Table
from safetensors.torch import save_file
from torch import Tensor

from callbacks.writing.found_candidates import columns
from datamodules.files.whole_file import whole_file
from datamodules.terminal import terminal
from mars_pl.debias.selection import DebiasedCentroids
from mars_pl.metrics.target_share import Kind, kind, target_share

CENTROIDS = "centroids.safetensors"
CANDIDATES = "candidates.csv"
SELECTION = "selection.json"
CSV_COLUMNS = ("id", "class", "cluster", "pixels", "distance", "selected", "iou")


@dataclass(frozen=True)
class CandidateTable(DebiasedCentroids):
    """The result of the centroids stage: the selection, how well it went, and what was asked for.

    Attributes:
        iou: (N,) of each candidate's region with the truth, NaN where there is none.
        empty: (num_classes,) int64, in how many images a class had no cell of its own, and so no candidate.
        class_names: background first.
        settings: what is written down with the figures.
    """

    iou: Tensor
    empty: Tensor
    class_names: tuple[str, ...]
    settings: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Write ``centroids.safetensors``, ``candidates.csv`` and ``selection.json``, each whole or not at all."""
        ids = json.dumps({"foreground": self.foreground.ids, "background": self.background.ids})
        with whole_file(folder / CANDIDATES) as path:
            self._write_csv(path)
        with whole_file(folder / SELECTION) as path:
            path.write_text(json.dumps(self.summary(), indent=1) + "\n")
        with whole_file(folder / CENTROIDS) as path:
            save_file(self.tensors(), path, {"ids": ids})  # one key: safetensors writes several in any order

    def tensors(self) -> dict[str, Tensor]:
        """Return what ``centroids.safetensors`` holds.

        ``centroids`` (num_classes, D): the debiased centroids, row 0 the mean of the unit background centroids;
        ``counts`` (num_classes,): how many made each row; of every candidate ``foreground.vectors``, ``.classes``,
        ``.clusters``, ``.pixels``, ``.distances``, ``.selected``; the first four for ``background`` too. Image ids are
        in the file's metadata: ``ids``, JSON with the lists ``foreground`` and ``background``.
        """
        tensors = {"centroids": self.centroids, "counts": self.counts}
        for name, part in (("foreground", self.foreground), ("background", self.background)):
            tensors |= {f"{name}.{key}": value for key, value in columns(part).items()}
        return tensors | {"foreground.distances": self.distances, "foreground.selected": self.selected}

    def _kinds(self, rows: Tensor) -> list[Kind]:
        return [kind(iou) for iou in self.iou[rows].tolist()]

    def summary(self) -> dict[str, Any]:
        """Return what ``selection.json`` holds: counts and shares by Fig. 8's rule, None where there is no truth."""
        everything = torch.ones_like(self.selected)
        rows = {name: self.foreground.classes == index for index, name in enumerate(self.class_names) if index}
        shares = {"all": everything, **rows}
        known = (~torch.isnan(self.iou)).tolist()
        judged = {image_id for image_id, has_truth in zip(self.foreground.ids, known, strict=True) if has_truth}
        before, after = Counter(self._kinds(everything)), Counter(self._kinds(self.selected))
        names: dict[str, Kind] = {"targets": "target", "biased": "biased", "between": "between"}
        kinds = {name: before[one] for name, one in names.items()}
        kinds |= {f"selected_{name}": after[one] for name, one in names.items()}
        return {
            "target_share": {name: target_share(self._kinds(row & self.selected)) for name, row in shares.items()},
            "target_share_before": {name: target_share(self._kinds(row)) for name, row in shares.items()},
            "candidates": len(self.foreground),
            "selected": int(self.selected.sum()),
            "background": len(self.background),
            **(kinds if judged else dict.fromkeys(kinds)),
            "images_with_truth": len(judged),
            "candidates_per_class": {name: int(row.sum()) for name, row in rows.items()},
            "selected_per_class": {name: int((row & self.selected).sum()) for name, row in rows.items()},
            "empty_regions": {
                name: count for name, count in zip(self.class_names, self.empty.tolist(), strict=True) if count
            },
            **self.settings,
        }

    def print(self) -> None:
        """Print a row a class: candidates, selected, target share before and after; warn of classes without any."""
        summary = self.summary()
        about = "{distance} distance, α {alpha}; {split}, {images} images, targets by {images_with_truth} with truth"
        table = Table(title=f"Debiased centroids ({about.format(**summary)})")
        table.add_column("class")
        for column in ("candidates", "selected", "targets before", "targets after"):
            table.add_column(column, justify="right")
        for name in ("all", *self.class_names[1:]):
            counts = [
                summary[key] if name == "all" else summary[f"{key}_per_class"][name]
                for key in ("candidates", "selected")
            ]
            shares = [summary[key][name] for key in ("target_share_before", "target_share")]
            if counts[0]:
                table.add_row(name, *map(str, counts), *("–" if share is None else f"{share:.1%}" for share in shares))
        terminal().print(table)
        lost = [name for name in summary["empty_regions"] if summary["candidates_per_class"].get(name) == 0]
        if lost:
            rank_zero_warn(
                f"no centroid for {', '.join(lost)}: in no image the majority of a cell; "
                "labels of images with no other class stay as they are"
            )

    def _write_csv(self, path: Path) -> None:
        part = self.foreground
        numbers = (part.classes, part.clusters, part.pixels, self.distances, self.selected, self.iou)
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(CSV_COLUMNS)
            for image_id, index, cluster, pixels, distance, selected, iou in zip(
                part.ids, *(column.tolist() for column in numbers), strict=True
            ):
                measured = "" if math.isnan(iou) else f"{iou:.4f}"
                name = self.class_names[index]
                writer.writerow((image_id, name, cluster, pixels, f"{distance:.6f}", int(selected), measured))
