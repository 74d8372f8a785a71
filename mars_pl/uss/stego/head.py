"""What STEGO learns: a small head on frozen tokens (STEGO section 4; its released training code)."""

from __future__ import annotations

from torch import Tensor, nn

from mars_pl.uss.stego.dropout import channel_dropout, checked_share


class STEGOHead(nn.Module):
    """Sum of a linear and a non-linear branch, both over single tokens.

    Args:
        channels: D of the tokens.
        dim: of the code; 70 in STEGO's configuration.
        dropout: share of the tokens' channels that each branch does without, drawn anew for each, in training only.

    Raises:
        ValueError: where ``dropout`` is not in [0, 1).
    """

    def __init__(self, channels: int, dim: int = 70, dropout: float = 0.1) -> None:
        super().__init__()
        self.channels = channels
        self.dim = dim
        self.dropout = checked_share("dropout", dropout)
        self.linear = nn.Conv2d(channels, dim, 1)
        self.nonlinear = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, dim, 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, channels, h, w) to the code (B, dim, h, w), not normalised to unit length."""
        share = self.dropout if self.training else 0.0
        linear: Tensor = self.linear(channel_dropout(tokens, share))
        return linear + self.nonlinear(channel_dropout(tokens, share))
