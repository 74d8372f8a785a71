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


def write_segmentation(
    path: Path,
    image: NDArray[np.uint8] | Tensor,
    probabilities: NDArray[np.float32] | Tensor,
    codes: NDArray[np.int64] | Tensor,
    num_classes: int,
    debiased: NDArray[np.int64] | None,
    refine: Refine | None,
    unsure: float = 0.0,
    shared: bool = False,
) -> None:
    """Write one mask, or one label with its biased pixels filled.

    Args:
        path: of the PNG to write; its folder is made where it is absent.
        image: (3, H, W).
        probabilities: (K, H, W) of the classes that compete, background first; those of all classes would fill the
            memory with what waits for a worker.
        codes: (K,), what they are called in a label.
        num_classes: of the data, background counted.
        debiased: label (H, W) to fill; ``None`` writes the mask itself.
        refine: R.
        unsure: a pixel whose highest refined probability is lower is ignored.
        shared: the classes divide each pixel among them, since the image label denies all others.
    """
    biased, ignored = label_codes(num_classes).biased, label_codes(num_classes).ignored
    if debiased is not None and not (debiased == biased).any():
        write_label(path, as_label(debiased, num_classes))  # nothing to fill, so nothing to refine
        return
    images, maps, names = (torch.as_tensor(array) for array in (image, probabilities, codes))
    maps = shares(maps[None]) if shared else maps[None]  # as in training
    refined = (maps if refine is None else refine(images[None], maps))[0]
    highest = refined.max(dim=0)
    mask = torch.where(highest.values < unsure, ignored, names[highest.indices]).cpu()
    if debiased is not None:
        mask = complemented_label(torch.from_numpy(debiased), mask, biased)
    write_label(path, as_label(mask.numpy(), num_classes))
