"""What each process of the centroids stage has found, as files until all have ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from mars_pl.debias.centroids import Candidates, join

COLUMNS = ("classes", "clusters", "pixels", "vectors")


@dataclass(frozen=True)
class Found:
    """Candidates of some images.

    Attributes:
        candidates: N rows, background among them.
        iou: (N,) float64, NaN where there is no truth.
        images: how many were looked at.
        empty: (num_classes,) int64, in how many of them a class had no cell of its own.
    """

    candidates: Candidates
    iou: Tensor
    images: int
    empty: Tensor


def columns(candidates: Candidates) -> dict[str, Tensor]:
    """Return the tensors of a table by name, as a file takes them."""
    return {name: getattr(candidates, name).contiguous() for name in COLUMNS}


def write_part(path: Path, found: Found) -> None:
    """Write what one process has found, for ``read_parts``."""
    tensors = {"iou": found.iou, "images": torch.tensor(found.images), "empty": found.empty}
    save_file(tensors | columns(found.candidates), path, {"ids": json.dumps(found.candidates.ids)})


def read_parts(paths: Sequence[Path]) -> Found:
    """Read what all processes have found as one table, in the order of image id, class and cluster."""
    parts = [_read_part(path) for path in paths]
    filled = [part.candidates for part in parts if len(part.candidates)]  # one without images knows no D
    candidates = join(filled) if filled else parts[0].candidates
    order = candidates.order()
    return Found(
        candidates.take(order),
        torch.cat([part.iou for part in parts])[order],
        sum(part.images for part in parts),
        torch.stack([part.empty for part in parts]).sum(dim=0),
    )


def _read_part(path: Path) -> Found:
    with safe_open(path, framework="pt") as file:
        candidates = Candidates(tuple(json.loads(file.metadata()["ids"])), *map(file.get_tensor, COLUMNS))
        return Found(candidates, file.get_tensor("iou"), int(file.get_tensor("images")), file.get_tensor("empty"))
