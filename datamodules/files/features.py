"""Feature files: `<id>.npy` with the pixel features of an image, so that a later stage need not ask the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.files.shards.place import File, file_size
from datamodules.files.shards.store import StoreError
from datamodules.files.whole_file import whole_file
from datamodules.unpickle.npy_head import npy_head, read_npy

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 2**28
"""Bytes of an image's features: 90 channels of 1.5 million cells."""


def write_features(path: Path, features: NDArray[Any]) -> None:
    """Write the features (D, h, w) of one image as float16, whole or not at all.

    Raises:
        DataError: where one is beyond half precision, or is not finite.
    """
    halved = features.astype(np.float16)
    if not np.isfinite(halved).all():
        raise DataError(f"{path}: features beyond half precision; look at the network's weights or do not store them")
    with whole_file(path) as partial, partial.open("wb") as file:
        np.save(file, halved)


def read_features(path: File) -> Tensor:
    """Read the features of one image, float16 (D, h, w).

    Raises:
        DataError: where the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            head = npy_head(file)
            if head.dtype != np.float16 or len(head.shape) != 3 or not 0 < head.nbytes <= LARGEST:
                raise ValueError(f"an array of {head.dtype} and shape {head.shape}")
            features = read_npy(file, head, (file_size(path) or 0) - file.tell())
    except FileNotFoundError:
        raise DataError(f"{path}: no such features; make the centroids again with features=true") from None
    except StoreError:
        raise
    except (OSError, ValueError, EOFError, OverflowError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: cannot be read as features ({reason}); make the centroids again") from None
    if not np.isfinite(features).all():
        raise DataError(f"{path}: features that are not finite; make the centroids again")
    import torch  # not above, so that commands that read no features start at once

    return torch.from_numpy(features)
