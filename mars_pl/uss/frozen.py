"""Networks that never learn."""

from __future__ import annotations

from typing import Self

from torch import nn


class Frozen(nn.Module):
    """A module that, once ``freeze`` was called, takes no gradient and stays in evaluation mode."""

    def freeze(self) -> None:
        """Freeze everything it holds; to be called at the end of a constructor."""
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever the module around it does."""
        return super().train(False)
