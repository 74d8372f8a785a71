"""Score files: `<id>.npz` with the maps of an image's classes, between a stage that scores and one that propagates."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.files.shards.place import File, opened_by_libraries
from datamodules.files.shards.store import StoreError
from datamodules.files.whole_file import whole_file
from datamodules.unpickle.npy_head import npy_head, read_npy

if TYPE_CHECKING:
    from torch import Tensor

UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, struct.error, OverflowError, zipfile.BadZipFile, zlib.error
)  # fmt: skip
"""What numpy and zipfile raise at a file that is damaged or something else."""

LARGEST = 2**28
"""Bytes of an image's scores: 16 classes of 8 megapixels as they are written, in half precision."""

SCORES, CLASS_IDS = "scores.npy", "class_ids.npy"


def write_scores(path: Path, class_ids: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
    """Write the scores (K, H, W) in [0, 1] of the classes (K,) of one image, as float16, whole or not at all."""
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, class_ids=class_ids.astype(np.int64), scores=scores.astype(np.float16))


def read_scores(path: File) -> tuple[Tensor, Tensor]:
    """Read a score file.

    Returns:
        class_ids int64 (K,), label ids; scores float32 (K, H, W).

    Raises:
        DataError: where the file is missing or damaged.
    """
    try:
        with zipfile.ZipFile(opened_by_libraries(path)) as archive:
            class_ids, scores = _member(archive, CLASS_IDS, "iu"), _member(archive, SCORES, "f")
    except FileNotFoundError:
        raise _missing(path) from None
    except StoreError:
        raise
    except UNREADABLE as error:
        raise _damaged(path, error) from None
    if not np.isfinite(scores).all():
        raise _damaged(path, ValueError("scores that are not finite"))
    import torch  # not above, so that commands that only look at heads start at once

    return torch.from_numpy(class_ids.astype(np.int64)), torch.from_numpy(scores.astype(np.float32))


def inspect_scores(path: File) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """Read the class ids and the shape (K, H, W) of a score file, and leave its maps alone.

    Raises:
        DataError: where the file is missing, cut short or not a score file.
    """
    try:
        with zipfile.ZipFile(opened_by_libraries(path)) as archive:
            with archive.open(SCORES) as file:
                shape = npy_head(file).shape
            return _member(archive, CLASS_IDS, "iu").astype(np.int64), shape
    except FileNotFoundError:
        raise _missing(path) from None
    except StoreError:
        raise
    except UNREADABLE as error:
        raise _damaged(path, error) from None


def _member(archive: zipfile.ZipFile, name: str, kinds: str) -> NDArray[Any]:
    """Read one array by its head, which must agree with the archive and stay within the bound."""
    member = archive.getinfo(name)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed in a way that numpy does not")
    with archive.open(member) as file:
        head = npy_head(file)
        if head.nbytes > LARGEST:
            raise ValueError(f"{name} of {head.nbytes:,} bytes, {LARGEST:,} are read; make smaller images of it")
        if head.dtype.kind not in kinds or head.dtype.itemsize > 8:
            raise ValueError(f"{name} of {head.dtype}")
        return read_npy(file, head, member.file_size - file.tell())


def _missing(path: File) -> DataError:
    return DataError(
        f"{path}: no such score file; run the stage that makes scores for this list or set data.score_folder"
    )


def _damaged(path: File, error: Exception) -> DataError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"{path}: cannot be read as class_ids and scores ({reason}); run the stage that makes it again")
