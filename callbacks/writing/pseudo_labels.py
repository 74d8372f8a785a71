"""Pseudo labels Yᵇ of one image, as a worker makes them (paper §3.1); Lightning, slow to import, keeps out of here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from datamodules.files.labels import as_label, label_codes, write_label
from mars_pl.metrics.confusion import class_counts
from mars_pl.refine.protocol import Refine
from mars_pl.wsss.pseudo_label import pseudo_label

SweepCounts = NDArray[np.int64]
"""(S, 3, num_classes): at each swept score the pixels of each class that are right, predicted and true."""


def make_labels(
    name: str,
    image: NDArray[np.uint8],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int64],
    truth: NDArray[np.int64] | None,
    folders: Mapping[Path, float],
    swept: Sequence[float],
    refine: Refine | None,
    num_classes: int,
) -> SweepCounts | None:
    """Write one image's label into each folder at its background score, and count those of ``swept``.

    Args:
        name: of the image.
        image: (3, H, W).
        scores: (K, H, W) in [0, 1].
        class_ids: (K,), the label of each map.
        truth: (H, W), or None where this image is not swept.
        folders: of labels to their background score.
        swept: background scores that are counted, each once.
        refine: applied to each label.
        num_classes: of the data, background counted.

    Returns:
        The counts in the order of ``swept``; None without truth.
    """
    counts = None if truth is None else np.zeros((len(swept), 3, num_classes), dtype=np.int64)
    for score in sorted({*folders.values(), *(swept if truth is not None else ())}):
        label = pseudo_label(
            torch.from_numpy(image), torch.from_numpy(scores), torch.from_numpy(class_ids), score, refine
        ).numpy()
        for folder, folder_score in folders.items():
            if folder_score == score:
                write_label(folder / f"{name}.png", as_label(label, num_classes))
        if counts is not None and truth is not None and score in swept:
            counts[swept.index(score)] = class_counts(label, truth, num_classes, label_codes(num_classes).ignored)
    return counts
