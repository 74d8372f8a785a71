"""JSON files of figures, read and written in one way by every command."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from datamodules.unpickle.json_text import read_json_text


def null_for_nan(value: float) -> float | None:
    """Return a figure, None for the NaN of one that could not be measured: JSON knows no NaN."""
    return None if math.isnan(value) else float(value)


def read_json(path: Path) -> Any:
    """Read one JSON file.

    Raises:
        DataError: where it is missing or is no JSON.
    """
    try:
        return read_json_text(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; has the stage that writes it been run?") from None
    except ValueError as error:
        raise DataError(f"{path}: is no JSON ({error}); delete it and run its stage again") from None


def write_json(path: Path, content: Any) -> None:
    """Write figures as JSON, and make the folder; a number that is none is refused."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
