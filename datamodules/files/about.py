"""`about.json`: what the writer of a folder of masks leaves beside them about how they were made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from datamodules.unpickle.json_text import read_json_text

ABOUT = "about.json"
ABOUT_NETWORKS = ("network", "multi_scale", "scales", "flip", "window", "resampling")
"""What stands there where a network made the masks; of a window its side and its stride."""


def write_about(folder: Path, **facts: str | bool | Sequence[float] | None) -> None:
    """Leave `about.json` beside masks, so that every figure of them says refinement, network and scales."""
    with whole_file(folder / ABOUT) as partial:
        partial.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")


def read_about(folder: Path) -> dict[str, Any]:
    """Return what stands in a folder's `about.json`, nothing without one; raises DataError where it is damaged."""
    path = folder / ABOUT
    try:
        return dict(read_json_text(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    except (ValueError, TypeError):
        raise DataError(f"{path}: holds no table of facts; write the masks again or remove it") from None
