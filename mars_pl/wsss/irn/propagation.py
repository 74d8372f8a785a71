"""Spread scores to the class boundaries that an IRN draws (step/make_sem_seg_labels.py)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.wsss.cam.activation import normalise_activation
from mars_pl.wsss.irn.network import STRIDE, IRNetwork
from mars_pl.wsss.irn.path_affinity import grid_affinity
from mars_pl.wsss.propagation.random_walk import half_disc, random_walk


def flip_averaged_edge(network: IRNetwork, image: Tensor, crop_size: int | None = None) -> Tensor:
    """Average the logits of an image and of its mirror image.

    Args:
        network: draws the edges.
        image: uint8 (1, 3, H, W).
        crop_size: what both are padded to, see `IRNetwork.edge`.

    Returns:
        Edge map (h, w) in [0, 1].
    """
    logits = network.edge(torch.cat([image, image.flip(-1)]), crop_size).float()
    return ((logits[0] + logits[1].flip(-1)) / 2).sigmoid()


def to_grid(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Average scores (K, H, W) over the cells of a grid (h, w), each 4×4 pixels; the border is repeated outwards."""
    height, width = scores.shape[-2:]
    overhang = (0, size[1] * STRIDE - width, 0, size[0] * STRIDE - height)
    return F.avg_pool2d(F.pad(scores, overhang, mode="replicate"), STRIDE)


def propagate(
    scores: Tensor, edge: Tensor, radius: int, exponent: float, steps: int, seed_exponent: float = 1.0
) -> Tensor:
    """Let scores walk between boundaries.

    Args:
        scores: (K, H, W) in [0, 1].
        edge: (H/4, W/4) in [0, 1], rounded up.
        radius: in cells, of the steps.
        exponent: of the affinity.
        steps: of the walk.
        seed_exponent: of the scores before it; AdvCAM has 1.5.

    Returns:
        (K, H, W) in [0, 1]: divided by the largest score of all classes.
    """
    if len(scores) == 0:
        return scores
    # The mean of a cell is less than its largest pixel: on the grid, too, each class has a maximum of 1 (make_cam.py).
    seed = normalise_activation(to_grid(scores, (edge.shape[-2], edge.shape[-1]))) ** seed_exponent
    walked = random_walk(seed * (1 - edge), half_disc(radius), grid_affinity(edge, radius), exponent, steps)
    enlarged = F.interpolate(walked[None], scale_factor=STRIDE, mode="bilinear", align_corners=False)[0]
    enlarged = enlarged[:, : scores.shape[-2], : scores.shape[-1]]
    return enlarged / enlarged.amax().clamp(min=torch.finfo(enlarged.dtype).tiny)
