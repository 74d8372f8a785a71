"""The JSON that an annotation program exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.files.text_file import read_text
from datamodules.unpickle.json_text import read_json_text


def read_export_json(path: Path) -> Any:
    """Read an exported JSON file.

    Raises:
        DataError: where it is none.
    """
    text = read_text(path)
    try:
        return read_json_text(text)
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); export it again") from None
