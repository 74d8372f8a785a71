"""The Grad-CAM that AdvCAM accumulates and regularises (its gradCAM.py)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def channel_weights(gradients: Tensor) -> Tensor:
    """Sum gradients (B, D, h, w) over space and divide by the number of positive ones in the whole tensor.

    One number divides every channel and both views of a flip pair (AdvCAM's misc/torchutils.py); where no gradient is
    positive it is 1.

    Returns:
        (B, D, 1, 1).
    """
    return gradients.sum(dim=(-2, -1), keepdim=True) / (gradients > 0).sum().clamp(min=1)


def pair_grad_cam(features: Tensor, logits: Tensor, index: int) -> Tensor:
    """Grad-CAM of a flip pair, the mirrored view flipped back and added.

    The weights are constants: a gradient of the map runs through the features alone.

    Args:
        features: (2, D, h, w), of an image and of its mirror image, with the graph that leads to ``logits``.
        logits: (2, C, h, w), before the ReLU; their rectified sum over space is what the weights derive.
        index: of the class in ``logits``.

    Returns:
        Non-negative (h, w).
    """
    (gradients,) = torch.autograd.grad(F.relu(logits[:, index]).sum(), features, retain_graph=True)
    maps = F.relu((channel_weights(gradients) * features).sum(dim=1))
    return maps[0] + maps[1].flip(-1)
