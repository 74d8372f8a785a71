"""The Semantic Boundaries Dataset: class masks in MATLAB files, of VOC's images."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from datamodules.errors import DataError
from datamodules.files.labels import Label
from datamodules.prepare.mat_file import read_struct_field


def read_sbd_mask(path: Path) -> Label:
    """Read the class mask `GTcls.Segmentation` of `cls/<id>.mat`: uint8 (H, W), VOC's codes 0…20.

    Raises:
        DataError: where the file is missing, damaged, or holds no such mask.
    """
    try:
        return np.ascontiguousarray(read_struct_field(path.read_bytes(), "GTcls", "Segmentation"), dtype=np.uint8)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; unpack SBD's benchmark.tgz again") from None
    except (ValueError, IndexError, struct.error, zlib.error) as error:
        raise DataError(f"{path}: holds no GTcls.Segmentation ({error}); unpack SBD's benchmark.tgz again") from None
