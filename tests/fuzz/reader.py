"""What a reader under test is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Reader(NamedTuple):
    """A reader under test.

    Attributes:
        name: of the file, whose place in a folder readers may ask for.
        make: returns a valid file's bytes.
        read: the reader, given the file's path.
    """

    name: str
    make: Callable[[], bytes]
    read: Callable[[Path], Any]
