"""Parquet of anybody's: what is wrong with a file is told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datamodules.errors import DataError


@contextmanager
def open_parquet(path: Path, what: str, remedy: str) -> Iterator[Any]:
    """Open a Parquet file that is there, and look after what reading it raises in the block.

    Args:
        path: of the file.
        what: it should be.
        remedy: what to do where it is not.

    Raises:
        DataError: where it is damaged or the block finds other content than it looks for.
    """
    import pyarrow as pa  # not above: commands that only look for files start at once
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except DataError:
        raise
    # a damaged file makes Arrow raise whatever stands for what it met
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: no {what} ({reason}); {remedy}") from None
