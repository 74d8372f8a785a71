"""Large images by overlapping windows, so that a network never sees more than one window's pixels at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SlidingWindow:
    """Squares that cover an image; the last of a row or column ends at the image's border.

    Args:
        side: of a window in pixels of the image; an image that fits into one is looked at whole.
        stride: from one window to the next; by default two thirds of the side, so that a third overlaps.

    Raises:
        ValueError: where the side is below 1, or the stride would leave pixels out.
    """

    side: int
    stride: int | None = None

    def __post_init__(self) -> None:
        if self.side < 1 or not 1 <= self.step <= self.side:
            given = f"side {self.side}, stride {self.step}"
            raise ValueError(f"window: {given}; a side begins at 1, and a stride lies between 1 and the side")

    @property
    def step(self) -> int:
        """The stride in pixels."""
        return max(1, 2 * self.side // 3) if self.stride is None else self.stride

    def spans(self, length: int) -> list[slice]:
        """Return the windows along a side of ``length`` pixels, from its beginning to its end."""
        last = max(length - self.side, 0)
        return [slice(start, min(start + self.side, length)) for start in [*range(0, last, self.step), last]]


def slide(predict: Callable[[Tensor], Tensor], images: Tensor, window: SlidingWindow) -> Tensor:
    """Average the probabilities of all windows at each pixel.

    Beside the sum, of the result's size, only the maps of one window are held.

    Args:
        predict: maps uint8 (B, 3, h, w) to probabilities (B, K, h, w).
        images: uint8 (B, 3, H, W).
        window: how they are cut.

    Returns:
        float32 (B, K, H, W): what ``predict`` says of the whole image where one window covers it.
    """
    rows, columns = (window.spans(side) for side in images.shape[-2:])
    if len(rows) == len(columns) == 1:
        return predict(images)
    total, windows = torch.zeros(()), torch.zeros(images.shape[-2:], device=images.device)
    for row in rows:
        for column in columns:
            probabilities = predict(images[..., row, column])
            if not total.ndim:
                total = probabilities.new_zeros(*probabilities.shape[:2], *images.shape[-2:])
            total[..., row, column] += probabilities
            windows[row, column] += 1
    return total.div_(windows)
