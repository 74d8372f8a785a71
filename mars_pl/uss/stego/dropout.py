"""Dropout of whole channels, the same whatever the number of processes."""

from __future__ import annotations

from torch import Tensor

from mars_pl.training.whole_batch import draw_kept


def channel_dropout(maps: Tensor, share: float) -> Tensor:
    """Zero a share of each image's channels and scale the others up, drawn for the whole batch over all processes.

    In one process it draws and gives what ``torch.nn.functional.dropout2d`` does.

    Args:
        maps: (B, C, h, w), of this process.
        share: of the channels, in [0, 1); 0 draws nothing.
    """
    return maps if share == 0 else maps * draw_kept(maps, share, maps.shape[1], 1, 1)


def checked_share(name: str, share: float) -> float:
    """Return ``share``; raises ValueError, with the setting's name, where it is not in [0, 1)."""
    if not 0 <= share < 1:
        raise ValueError(f"{name}: a share of the channels in [0, 1), not {share}")
    return share
