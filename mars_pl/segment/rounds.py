"""Rounds (ours, not in the paper): a network's masks of its own training images are the labels of another fit."""

from __future__ import annotations

import torch
from torch import Tensor


def ignore_lost(mask: Tensor, learnt: Tensor, least_share: float, num_classes: int, ignored: int) -> Tensor:
    """Ignore what the image's label says of a class that the network has all but lost.

    A network forgets what is rare in its class, a grey horse among brown ones. Where a mask gives a class less than
    ``least_share`` of its area in the label, the label's other pixels of this class are in doubt: neither the class, as
    the label said, nor what the mask says now. A class that shrinks by less has lost its companion.

    Args:
        mask: integers (H, W), what the network makes of its own training image.
        learnt: integers (H, W), the label it learnt from; background is 0.
        least_share: of a class's area, in [0, 1]; 0 ignores nothing.
        num_classes: of the data, background counted; higher codes of the label are no class.
        ignored: code of pixels that no loss counts.

    Returns:
        ``mask``, of which the doubtful pixels are ``ignored``.
    """
    classes = learnt[(learnt > 0) & (learnt < num_classes)].unique()
    doubtful = torch.zeros_like(mask, dtype=torch.bool)
    for code in classes.tolist():
        of_class, still = learnt == code, mask == code
        if still.sum() < least_share * of_class.sum():
            doubtful |= of_class & ~still
    return mask.masked_fill(doubtful, ignored)
