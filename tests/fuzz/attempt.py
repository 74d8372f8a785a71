"""What comes of one file that a reader is given."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.readers import Reader


class Outcome(NamedTuple):
    """How a reader ended.

    Attributes:
        refused: whether it raised what a user is told.
        uncaught: what is wrong with how it ended; None where nothing is.
        seconds: that it took.
    """

    refused: bool
    uncaught: str | None
    seconds: float


def attempt(reader: Reader, content: bytes, folder: Path) -> Outcome:
    """Read a file: the reader returns, or raises ValueError in one line that names the file."""
    shutil.rmtree(folder, ignore_errors=True)
    path = folder / reader.name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    start = time.perf_counter()
    refused, uncaught = False, None
    try:
        reader.read(path)
    except ValueError as error:
        refused, text = True, str(error)
        if path.name not in text or "\n" in text or len(text) > 2000:
            uncaught = f"{type(error).__name__}: {text[:300]!r} does not name the file in one line"
    except Exception as error:
        uncaught = f"{type(error).__name__}: {str(error)[:300]}"
    return Outcome(refused, uncaught, time.perf_counter() - start)
