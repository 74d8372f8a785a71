"""The Semantic Boundaries Dataset: class masks in MATLAB files, of VOC's images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datamodules.errors import DataError
from datamodules.files.labels import Label


def read_sbd_mask(path: Path) -> Label:
    """Read the class mask `GTcls.Segmentation` of `cls/<id>.mat`: uint8 (H, W), VOC's codes 0…20.

    Raises:
        DataError: where the file is missing, damaged, or holds no such mask.
    """
    from scipy.io import loadmat  # not above: only the masks' making needs it, once

    try:
        with path.open("rb") as file:
            return np.ascontiguousarray(loadmat(file)["GTcls"]["Segmentation"][0, 0], dtype=np.uint8)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; unpack SBD's benchmark.tgz again") from None
    except Exception as error:  # scipy raises all sorts at a damaged file
        raise DataError(f"{path}: holds no GTcls.Segmentation ({error}); unpack SBD's benchmark.tgz again") from None
