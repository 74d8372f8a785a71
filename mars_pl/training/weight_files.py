"""Where a file of weights lies; knows no torch, so that it can be asked before anything starts."""

from __future__ import annotations

import os
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[1] / "uss"
"""The folder of the weights that travel with the package: `scenes_vit.safetensors`."""


def find_weights(path: str | Path) -> Path:
    """Return ``path`` itself, or its namesake in the folder of ``MARS_WEIGHTS`` or, last, among the package's own.

    Raises:
        ValueError: in one line, where the file is in none of these places.
    """
    for candidate in (Path(path), Path(os.environ.get("MARS_WEIGHTS", "weights")) / path, SHIPPED / path):
        if candidate.is_file():
            return candidate
    raise ValueError(
        f"{path}: no such weights here or in the folder of MARS_WEIGHTS "
        "(make: WEIGHTS=); name another file or run the stage that makes it"
    )
