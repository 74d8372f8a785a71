"""Where a file of weights lies; knows no torch, so that it can be asked before anything starts."""

from __future__ import annotations

import os
from pathlib import Path

SETTINGS, WEIGHTS = "fit.yaml", "weights.safetensors"
"""What every fit leaves; of a segmenter the teacher's."""

MARS_WEIGHTS = "MARS_WEIGHTS"
"""Environment variable that names the folder of weights."""

SHIPPED = Path(__file__).resolve().parents[1] / "uss"
"""The folder of the weights that travel with the package: `scenes_vit.safetensors`."""


def find_weights_file(path: str | Path) -> Path | None:
    """Return ``path`` itself, or its namesake in the folder of ``MARS_WEIGHTS`` or, last, among the package's own."""
    for candidate in (Path(path), Path(os.environ.get(MARS_WEIGHTS, "weights")) / path, SHIPPED / path):
        if candidate.is_file():
            return candidate
    return None


def find_weights(path: str | Path) -> Path:
    """Return what ``find_weights_file`` finds.

    Raises:
        ValueError: in one line, where the file is in none of its places.
    """
    found = find_weights_file(path)
    if found is None:
        raise ValueError(
            f"{path}: no such weights here or in the folder of MARS_WEIGHTS "
            "(make: WEIGHTS=); name another file or run the stage that makes it"
        )
    return found
