"""Score files: `<id>.npz` with the maps of an image's classes, between a stage that scores and one that propagates."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file

if TYPE_CHECKING:
    from torch import Tensor

UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What numpy and zipfile raise at a file that is damaged or something else."""


def write_scores(path: Path, class_ids: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
    """Write the scores (K, H, W) in [0, 1] of the classes (K,) of one image, as float16, whole or not at all."""
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, class_ids=class_ids.astype(np.int64), scores=scores.astype(np.float16))


def read_scores(path: Path) -> tuple[Tensor, Tensor]:
    """Read a score file.

    Returns:
        class_ids int64 (K,), label ids; scores float32 (K, H, W).

    Raises:
        DataError: where the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            class_ids, scores = file["class_ids"], file["scores"]
    except FileNotFoundError:
        raise _missing(path) from None
    except UNREADABLE as error:
        raise _damaged(path, error) from None
    if not np.isfinite(scores).all():
        raise _damaged(path, ValueError("scores that are not finite"))
    import torch  # not above, so that commands that only look at heads start at once

    return torch.from_numpy(class_ids.astype(np.int64)), torch.from_numpy(scores.astype(np.float32))


def inspect_scores(path: Path) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """Read the class ids and the shape (K, H, W) of a score file, and leave its maps alone.

    Raises:
        DataError: where the file is missing, cut short or not a score file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open("scores.npy") as file:
                shape = _npy_shape(file)
            with archive.open("class_ids.npy") as file:
                return np.lib.format.read_array(file, allow_pickle=False).astype(np.int64), shape
    except FileNotFoundError:
        raise _missing(path) from None
    except UNREADABLE as error:
        raise _damaged(path, error) from None


def _npy_shape(file: IO[bytes]) -> tuple[int, ...]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)[0]


def _missing(path: Path) -> DataError:
    return DataError(
        f"{path}: no such score file; run the stage that makes scores for this list or set data.score_folder"
    )


def _damaged(path: Path, error: Exception) -> DataError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"{path}: cannot be read as class_ids and scores ({reason}); run the stage that makes it again")
