"""The candidates of one run, read back for Fig. 8: targets and biased centroids per class, vectors in the plane."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from mars_pl.metrics.target_share import Kind, kind, target_share


@dataclass(frozen=True)
class Candidate:
    """One foreground centroid of one image."""

    image_id: str
    class_name: str
    pixels: int
    distance: float
    selected: bool
    iou: float | None

    @property
    def kind(self) -> Kind:
        """By Fig. 8's rule: `target`, `biased`, `between`, or `unknown` where there is no truth."""
        return kind(self.iou)


def read_candidates(path: Path, class_names: Sequence[str]) -> list[Candidate]:
    """Read the table of candidates; a class given by its id gets its name.

    Raises:
        DataError: where a column is missing or is no number.
    """
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return [_candidate(row, class_names) for row in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, csv.Error) as error:
            raise DataError(f"{path}: is no table of candidates ({error}); run the debias stage again") from None


def _candidate(row: dict[str, str], class_names: Sequence[str]) -> Candidate:
    name = row["class"]
    if name.isdigit() and int(name) < len(class_names):
        name = class_names[int(name)]
    selected = row["selected"].strip().lower() in ("1", "true", "yes")
    iou = float(row["iou"]) if row.get("iou") not in (None, "", "nan") else None
    return Candidate(row["id"], name, int(float(row["pixels"])), float(row["distance"]), selected, iou)


def shares(candidates: Sequence[Candidate], class_names: Sequence[str]) -> list[dict[str, Any]]:
    """Count for each class, in the classes' order, what kinds its candidates and its selected ones are."""
    present = {candidate.class_name for candidate in candidates}
    ordered = [name for name in class_names if name in present] + sorted(present - set(class_names))
    result = []
    for name in ordered:
        own = [candidate for candidate in candidates if candidate.class_name == name]
        chosen = [candidate for candidate in own if candidate.selected]
        entry: dict[str, Any] = {"name": name}
        for key, group in (("before", own), ("after", chosen)):
            kinds = Counter(candidate.kind for candidate in group)
            entry[key] = {kind: kinds[kind] for kind in ("target", "between", "biased", "unknown")} | {
                "all": len(group)
            }
            entry[f"{key}_share"] = target_share(candidate.kind for candidate in group)
        result.append(entry)
    return result


def read_vectors(path: Path, count: int) -> NDArray[np.float32] | None:
    """Return the candidates' vectors, float32 (count, D): the matrix with a row for each line of the table.

    Where several have that many rows the first one named after the foreground is meant; None where there is none.

    Raises:
        DataError: where the file cannot be read.
    """
    from safetensors.numpy import load_file

    try:
        found = load_file(path)
    except Exception as error:  # safetensors and numpy raise all sorts at types that they do not know
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: cannot be read as safetensors ({reason}); run the debias stage again") from None
    fitting = {key: value for key, value in found.items() if value.ndim == 2 and len(value) == count}
    for key in sorted(fitting, key=lambda key: ("foreground" not in key, key)):
        return fitting[key].astype(np.float32)
    return None


def plane(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Project vectors (N, D) onto their first two principal axes, (N, 2); an axis' largest entry is positive."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    flat = np.zeros((len(vectors), 2), dtype=np.float32)
    flat[:, : len(axes)] = centred @ axes.T
    return flat


def two_most_biased(entries: Sequence[dict[str, Any]], least: int = 6) -> list[str]:
    """Return the two classes with the smallest target share among all their candidates, at least `least` of them."""
    known = [entry for entry in entries if entry["before_share"] is not None and entry["before"]["all"] >= least]
    return [entry["name"] for entry in sorted(known, key=lambda entry: (entry["before_share"], entry["name"]))[:2]]
