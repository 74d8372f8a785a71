"""One ``.npy`` of tokens that several processes, and several attempts, fill row by row."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError


class TokenStore:
    """A float16 ``.npy`` that several processes fill, each its own rows; it has its name once it is whole.

    All of them write the same header and the same length, so none has to wait for another; rows go out by position and
    not through a map, whose pages would carry a neighbour's rows along on network file systems.

    Args:
        path: of the finished file; until then its name ends in ``.part``.
        rows: of all crops.
    """

    def __init__(self, path: Path, rows: int) -> None:
        self.path, self.partial = path, unfinished(path)
        self._rows = rows
        self._row_shape: tuple[int, ...] | None = None
        self._start = 0
        self._file = -1

    def write(self, row: int, values: NDArray[np.float16]) -> None:
        """Write the tokens (D, h, w) of one crop.

        Raises:
            DataError: where crops differ in size, or a token is not finite.
        """
        if not np.isfinite(values).all():
            raise DataError(f"{self.path}: tokens of crop {row} that are not finite; look at the backbone's weights")
        if self._row_shape is None:
            self._open(values.shape)
        if values.shape != self._row_shape:
            raise DataError(f"{self.path}: tokens of {values.shape} after {self._row_shape}; give all crops one size")
        os.pwrite(self._file, values.astype("<f2").tobytes(), self._start + row * 2 * math.prod(values.shape))

    def close(self) -> None:
        """Leave the file to those that still write to it."""
        if self._row_shape is not None:
            os.close(self._file)

    def finish(self) -> None:
        """Give the file its name; all processes have closed it."""
        self.partial.replace(self.path)

    def _open(self, row_shape: tuple[int, ...]) -> None:
        header = io.BytesIO()
        described: dict[str, Any] = {"descr": "<f2", "fortran_order": False, "shape": (self._rows, *row_shape)}
        np.lib.format.write_array_header_1_0(header, described)
        self._row_shape, self._start = row_shape, header.tell()
        self._file = os.open(self.partial, os.O_WRONLY | os.O_CREAT, 0o666)
        os.pwrite(self._file, header.getvalue(), 0)
        os.ftruncate(self._file, self._start + self._rows * 2 * math.prod(row_shape))


def unfinished(path: Path) -> Path:
    """Return the name of a file that is not yet whole."""
    return path.with_name(f"{path.name}.part")
