"""What two kinds add to the file of debiased centroids; files without it are the paper's, and stay as they were."""

from __future__ import annotations

from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from mars_pl.debias.kinds.sides import TENSORS, Sides

WHOLE = "whole"
"""Beside the sides in the centroids' file: (num_classes,), not zero for a class that loses nothing."""


def read_kinds(path: str | Path, centroids: Tensor) -> tuple[Sides | None, tuple[int, ...]]:
    """Read what ``TwoKinds`` adds to a file of debiased centroids: both sides, and the classes that lose nothing.

    Args:
        path: of the file.
        centroids: (num_classes, D), what it holds in any case.

    Raises:
        ValueError: where the sides do not fit the centroids.
    """
    with safe_open(str(path), framework="pt") as file:
        names = set(file.keys())
        if not {*TENSORS, WHOLE} <= names:
            return None, ()
        tensors = {name: file.get_tensor(name) for name in (*TENSORS, WHOLE)}
    num_classes, dim = centroids.shape
    shapes = [tuple(tensors[name].shape) for name in (*TENSORS, WHOLE)]
    fits = all(len(shape) == 3 and shape[::2] == (num_classes, dim) for shape in shapes[:2])
    if not fits or len(shapes[2]) != 2 or shapes[2][1] != dim or shapes[3] != (num_classes,):
        raise ValueError(f"{path}: kinds of shapes {shapes} beside centroids {num_classes, dim}; make them again")
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise ValueError(f"{path}: kinds that are not finite; make them again")
    return Sides.of_tensors(tensors), tuple(tensors[WHOLE].nonzero().flatten().tolist())
