"""Stochastic depth, the same whatever the number of processes (Leopart's student; Huang et al., ECCV 2016)."""

from __future__ import annotations

from torch import Tensor, nn

from mars_pl.training.whole_batch import draw_kept


class DropPath(nn.Module):
    """Leaves a branch out for some crops in training and scales the others up, drawn for the whole batch.

    In one process it draws and gives what timm's module does.

    Args:
        rate: chance that a crop goes without the branch, in [0, 1); 0 draws nothing.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """Map tokens (B, N, D) of crops that all processes hold in one order of images to the same shape."""
        if self.rate == 0 or not self.training:
            return branch
        return branch * draw_kept(branch, self.rate, 1, 1)
