"""One mask, or one complemented label Yᶜᵒ, as a worker makes it; Lightning, slow to import, keeps out of here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.files.labels import as_label, label_codes, write_label
from mars_pl.refine.protocol import Refine
from mars_pl.segment.complement import complemented_label, shares
from mars_pl.segment.rounds import ignore_lost


def write_segmentation(
    path: Path,
    image: NDArray[np.uint8] | Tensor,
    probabilities: NDArray[np.float32] | Tensor,
    codes: NDArray[np.int64] | Tensor,
    num_classes: int,
    label: NDArray[np.int64] | None,
    refine: Refine | None,
    fill: bool = False,
    unsure: float = 0.0,
    least_share: float = 0.0,
    shared: bool = False,
) -> None:
    """Write one mask, one label for another fit, or one label with its biased pixels filled.

    Args:
        path: of the PNG to write; its folder is made where it is absent.
        image: (3, H, W).
        probabilities: (K, H, W) of the classes that compete, background first; those of all classes would fill the
            memory with what waits for a worker.
        codes: (K,), what they are called in a label.
        num_classes: of the data, background counted.
        label: (H, W), to fill or to hold the mask against; ``None`` where neither is wished.
        refine: R.
        fill: write the label, its biased pixels filled.
        unsure: a pixel whose highest refined probability is lower is ignored; where labels are filled it stays biased.
        least_share: of a class's area in the label; see `ignore_lost`.
        shared: the classes divide each pixel among them, since the image label denies all others.
    """
    biased, ignored = label_codes(num_classes).biased, label_codes(num_classes).ignored
    if fill and label is not None and not (label == biased).any():
        write_label(path, as_label(label, num_classes))  # nothing to fill, so nothing to refine
        return
    images, maps, names = (torch.as_tensor(array) for array in (image, probabilities, codes))
    maps = shares(maps[None]) if shared else maps[None]  # as in training
    refined = (maps if refine is None else refine(images[None], maps))[0]
    highest = refined.max(dim=0)
    mask = torch.where(highest.values < unsure, biased if fill else ignored, names[highest.indices]).cpu()
    if label is not None:
        learnt = torch.from_numpy(label)
        if fill:
            mask = complemented_label(learnt, mask, biased)
        else:
            mask = ignore_lost(mask, learnt, least_share, num_classes, ignored)
    write_label(path, as_label(mask.numpy(), num_classes))
