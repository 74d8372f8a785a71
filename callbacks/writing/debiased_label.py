"""One debiased label from one map, as a worker makes it (paper §3.3); Lightning, slow to import, keeps out of here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from datamodules.files.labels import as_label, write_label
from datamodules.files.whole_file import whole_file
from mars_pl.debias.debiasing import label_image
from mars_pl.refine.protocol import Refine

Counts = NDArray[np.int64]
"""(3, K): codes of the classes that a label holds, pixels of each before, and pixels removed from it."""


def make_debiased_label(
    path: Path,
    similarity_path: Path | None,
    image: NDArray[np.uint8],
    label: NDArray[np.int64],
    similarity: NDArray[np.float32],
    refine: Refine | None,
    exponent: float,
    num_classes: int,
    biased_index: int,
    ignore_index: int,
    device: str,
    whole: Sequence[int] = (),
) -> Counts:
    """Refine one map, write the label and, where a path is given, the map as a grey PNG. Runs in a worker.

    Returns:
        What was there and what was removed.
    """
    before = torch.from_numpy(label)
    similar = torch.from_numpy(similarity).to(device)
    codes = {"biased_index": biased_index, "ignore_index": ignore_index}
    after = label_image(before, similar, torch.from_numpy(image), refine, exponent, whole=whole, **codes).numpy()
    write_label(path, as_label(after, num_classes))
    if similarity_path is not None:
        with whole_file(similarity_path) as partial:
            Image.fromarray(np.rint(255 * similarity).astype(np.uint8)).save(partial, format="PNG")
    removed = label[(after == biased_index) & (label != biased_index)]
    had = np.bincount(label[label < num_classes])
    there = np.flatnonzero(had)
    return np.stack([there, had[there], np.bincount(removed, minlength=len(had))[there]])
