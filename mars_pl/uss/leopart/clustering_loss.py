"""Leopart's loss: every crop predicts how a global crop's tokens were assigned where the two overlap (section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mars_pl.training.over_processes import mean_count
from mars_pl.uss.leopart.alignment import align, overlap, within


def clustering_loss(
    assignments: Tensor,
    foreground: Tensor,
    predictions: Sequence[Tensor],
    boxes: Tensor,
    temperature: float = 0.1,
    side: int = 7,
) -> Tensor:
    """Mean over global crops g and other crops v of the cross-entropy between v's prediction and g's assignments.

    Args:
        assignments: (G, B, K, h, w) of the teacher's tokens, summing to one over K; no gradient is taken of them.
        foreground: bool (G, B, h, w); a place counts where nothing but foreground is read, to the last bit.
        predictions: the student's scores of all V crops, (B, K, h_v, w_v) each, the G global crops first.
        boxes: (B, V, 4) of the crops in the image, as left, top, right, bottom in pixels.
        temperature: of the prediction's softmax.
        side: of the grid that overlaps are read at.

    Returns:
        A scalar; a pair of crops without foreground in common adds nothing, as in Leopart's code.
    """
    total = predictions[0].new_zeros(())
    for g, (assigned, shown) in enumerate(zip(assignments, foreground, strict=True)):
        for v, predicted in enumerate(predictions):
            if v == g:
                continue
            common = overlap(boxes[:, g], boxes[:, v])
            own, other = within(common, boxes[:, g]), within(common, boxes[:, v])
            wanted = align(assigned.detach(), own, side)
            # Read like the assignments, the mask gives the foreground's share of each place. Bilinear weights sum to
            # one up to rounding, so that 1 place of 200 is lost though all of it is foreground, as published.
            counts = align(shown[:, None].to(wanted.dtype), own, side)[:, 0] >= 1
            likelihood = torch.log_softmax(align(predicted, other, side) / temperature, dim=1)
            entropy = -(wanted * likelihood).sum(dim=1)
            total = total + (entropy * counts).sum() / mean_count(counts.sum(), least=1)
    return total / (len(assignments) * (len(predictions) - 1))
