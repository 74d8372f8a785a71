"""Whether what a teacher is to complete fits together."""

from __future__ import annotations

import torch
from torch import Tensor


def check_batch(images: Tensor, logits: Tensor, label: Tensor, classes: Tensor) -> None:
    """Look at a batch's types and shapes, which broadcasting would hide.

    Raises:
        ValueError: in one line, where images are not uint8 (B, 3, H, W), logits (B, K, h, w), the label integers
            (B, H, W), or the image labels (B, K − 1).
    """
    if label.ndim != 3 or label.is_floating_point():
        raise ValueError(f"label: want integers (B, H, W), got {label.dtype} {tuple(label.shape)}")
    batch, size = len(label), tuple(label.shape[1:])
    if images.dtype != torch.uint8 or images.shape != (batch, 3, *size):
        raise ValueError(f"images: want uint8 {(batch, 3, *size)}, got {images.dtype} {tuple(images.shape)}")
    if logits.ndim != 4 or len(logits) != batch:
        raise ValueError(f"logits: want ({batch}, num_classes, h, w), got {tuple(logits.shape)}")
    want = (batch, logits.shape[1] - 1)
    if classes.shape != want:
        raise ValueError(f"classes: want {want}, background left out, got {tuple(classes.shape)}")
