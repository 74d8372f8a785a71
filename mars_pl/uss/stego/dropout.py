"""Dropout of whole channels, the same whatever the number of processes."""

from __future__ import annotations

from torch import Tensor

from mars_pl.training.whole_batch import draw_for_all, own_rows, whole_size


def channel_dropout(maps: Tensor, share: float) -> Tensor:
    """Zero a share of each image's channels and scale the others up, drawn for the whole batch over all processes.

    In one process it draws and gives what ``torch.nn.functional.dropout2d`` does.

    Args:
        maps: (B, C, h, w), of this process.
        share: of the channels, in [0, 1); 0 draws nothing.
    """
    if share == 0:
        return maps
    keep, sides = 1 - share, (whole_size(len(maps)), maps.shape[1], 1, 1)
    return maps * own_rows(draw_for_all(lambda: maps.new_empty(sides).bernoulli_(keep).div_(keep)))


def checked_share(name: str, share: float) -> float:
    """Return ``share``; raises ValueError, with the setting's name, where it is not in [0, 1)."""
    if not 0 <= share < 1:
        raise ValueError(f"{name}: a share of the channels in [0, 1), not {share}")
    return share
