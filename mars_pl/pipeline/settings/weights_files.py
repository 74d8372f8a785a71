"""Where weights files lie, told without loading torch."""

from __future__ import annotations

import os
from pathlib import Path

MARS_WEIGHTS = "MARS_WEIGHTS"
"""Environment variable that names the folder of weights."""


def find_weights_file(name: str | Path) -> Path | None:
    """Return a weights file: itself, its namesake in the folder of MARS_WEIGHTS, or the one that the package ships."""
    shipped = Path(__file__).resolve().parents[2] / "uss"
    for path in (Path(name), Path(os.environ.get(MARS_WEIGHTS, "weights")) / name, shipped / Path(name).name):
        if path.is_file():
            return path
    return None
