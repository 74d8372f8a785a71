"""Tensors that a stage leaves in a safetensors file, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safetensors import safe_open
from torch import Tensor


def read_tensors(path: str | Path, names: Sequence[str], missing: str, damaged: str) -> list[Tensor]:
    """Read some tensors of a file, as float32.

    Args:
        path: of the file.
        names: of the tensors.
        missing: what is said where there is no such file, and the remedy.
        damaged: what is said where it cannot be read, with ``{reason}`` in it.

    Raises:
        ValueError: in one line, where the file is missing, cannot be read or lacks one of them.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path}: {missing}")
    try:
        with safe_open(str(path), framework="pt") as file:
            return [file.get_tensor(name).float() for name in names]
    except Exception as error:  # safetensors and torch raise all sorts at types that they do not know
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: {damaged.format(reason=reason)}") from None
