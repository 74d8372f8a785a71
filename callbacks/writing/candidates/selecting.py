"""From the parts of all processes to the files of the centroids stage, in three or four readings (paper §3.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from callbacks.writing.candidates.merged import MergedParts, Window
from callbacks.writing.candidates.summary import Summary, kinds_said
from callbacks.writing.candidates.table_file import CANDIDATES, TableWriter, schema
from datamodules.files.whole_file import whole_file
from mars_pl.debias.centroids import class_means, select
from mars_pl.debias.defaults import ALPHA, DISTANCE, NEAREST_COUNT, Distance
from mars_pl.debias.distance import Rows, find_background
from mars_pl.debias.kinds.kinds_file import WHOLE
from mars_pl.debias.kinds.sample import ImageRows, Sampler
from mars_pl.debias.kinds.sides import Sides
from mars_pl.debias.kinds.two_kinds import Kinds, TwoKinds
from mars_pl.metrics.target_share import kind_counts, kinds

CENTROIDS = "centroids.safetensors"
SELECTION = "selection.json"


class TableSelection:
    """Selects among the candidates of all images, whose vectors need not fit into memory.

    Held are the class, the kind, the distance and the choice of each candidate: 15 bytes, and 40 more while they are
    sorted. ``minimum`` and ``nearest`` hold the background's vectors too.
    Two kinds take a fourth reading, and hold a sample and, while it is picked, 40 bytes a candidate.

    Args:
        parts: the candidates.
        class_names: background first.
        settings: what is written down with the figures.
        alpha: share of each class's candidates that make its debiased centroid (paper: .40).
        distance: to all background centroids, see ``Distance``.
        nearest_count: how many, for ``nearest``.
        parting: selects among the target kind alone, see ``TwoKinds``; None selects as the paper does.

    Raises:
        ValueError: where there is no background or no foreground among the candidates.
    """

    def __init__(
        self,
        parts: MergedParts,
        class_names: tuple[str, ...],
        settings: dict[str, Any],
        alpha: float = ALPHA,
        distance: Distance = DISTANCE,
        nearest_count: int = NEAREST_COUNT,
        parting: TwoKinds | None = None,
    ) -> None:
        self._parts, self._class_names, self._settings = parts, class_names, settings
        self._classes: list[NDArray[np.int32]] = []
        self._kinds: list[NDArray[np.int8]] = []
        self._images_with_truth = 0
        self._empty = np.zeros(len(class_names), dtype=np.int64)
        self._background = find_background(self._first_reading(), distance, nearest_count)
        classes, self._found = np.concatenate(self._classes), np.concatenate(self._kinds)
        self._foreground = classes[classes > 0]
        self._kinds_found: Kinds | None = None
        self._more: dict[str, Tensor] = {}
        if parting is None:
            self._distances = self._background.distances(window.rows for window in self._windows())
            self._selected = select(torch.from_numpy(self._foreground), self._distances, alpha)
        else:
            self._part(torch.from_numpy(classes), parting, alpha, distance, nearest_count)

    def write(self, folder: Path) -> Summary:
        """Write ``candidates.parquet``, ``selection.json`` and ``centroids.safetensors``, each whole or not at all.

        The last one holds what later stages read, and is small: ``centroids`` (num_classes, D), the debiased centroids,
        row 0 the mean of the unit background centroids; ``counts`` (num_classes,), how many made each row. The settings
        are in its metadata, JSON under ``settings``. Of two kinds it holds the tensors of ``Sides`` too, and ``whole``
        (num_classes,), 1 for a class that is not parted.
        """
        with whole_file(folder / CANDIDATES) as path:
            centroids, counts = class_means(self._third_reading(path), self._selected, len(self._class_names))
        summary = self._summary()
        with whole_file(folder / SELECTION) as path:
            path.write_text(json.dumps(summary.figures(), indent=1) + "\n")
        centroids[0], counts[0] = self._background.mean.float(), self._background.count
        tensors: dict[str, Tensor] = {"centroids": centroids, "counts": counts, **self._more}
        with whole_file(folder / CENTROIDS) as path:
            save_file(tensors, path, {"settings": json.dumps(self._settings)})
        return summary

    def _part(self, classes: Tensor, parting: TwoKinds, alpha: float, distance: Distance, nearest_count: int) -> None:
        """Take a sample while distances are measured, find its kinds, and go through all candidates once more."""
        sampler = Sampler(classes, parting.most, len(self._class_names))
        self._distances = self._background.distances(sampler.watch(self._image_rows()))
        sample = sampler.sample()
        self._kinds_found = kinds = parting.find(sample, distance, nearest_count)
        near = torch.cat([kinds.near(*window.rows)[window.rows[0] > 0] for window in self._windows()])
        self._selected = kinds.select(torch.from_numpy(self._foreground), self._distances, near, alpha)
        self._more = Sides.of_sample(sample, self._selected, kinds, parting).tensors()
        self._more[WHOLE] = (~kinds.parted).byte()

    def _image_rows(self) -> Iterator[ImageRows]:
        return ((torch.from_numpy(window.images), *window.rows) for window in self._windows())

    def _windows(self) -> Iterator[Window]:
        return (window for window in self._parts.windows() if len(window.classes))

    def _first_reading(self) -> Iterator[Rows]:
        for window in self._parts.windows():
            self._empty += np.bincount(window.empty, minlength=len(self._empty))
            foreground = window.classes > 0
            known = foreground & ~np.isnan(window.iou)
            self._images_with_truth += len(np.unique(window.images[known]))
            self._classes.append(window.classes)
            self._kinds.append(kinds(window.iou[foreground]))
            if len(window.classes):
                yield window.rows

    def _third_reading(self, path: Path) -> Iterator[Rows]:
        """Write each window beside its distances and choices, and hand it on to the means."""
        writer, start = None, 0
        for window in self._windows():
            if writer is None:
                writer = TableWriter(path, schema(window.vectors.shape[1], self._class_names))
            foreground = window.classes > 0
            rows = slice(start, start := start + int(foreground.sum()))
            distances, selected = np.full(len(foreground), np.nan), np.zeros(len(foreground), dtype=bool)
            distances[foreground], selected[foreground] = self._distances[rows], self._selected[rows]
            columns: dict[str, NDArray[Any]] = {
                "class": window.classes,
                "cluster": window.clusters,
                "pixels": window.pixels,
                "distance": distances,
                "selected": selected,
                "iou": np.where(foreground, window.iou, np.nan),
            }
            writer.write(window.ids.take(pa.array(window.images)), window.vectors, columns)
            yield window.rows
        if writer is not None:
            writer.close()

    def _summary(self) -> Summary:
        chosen = self._selected.numpy()
        return Summary(
            before=kind_counts(self._foreground, self._found, len(self._class_names)),
            after=kind_counts(self._foreground[chosen], self._found[chosen], len(self._class_names)),
            background=self._background.count,
            images_with_truth=self._images_with_truth,
            empty=self._empty,
            class_names=self._class_names,
            settings=self._settings | {"images": len(self._parts)} | kinds_said(self._kinds_found, self._class_names),
        )
