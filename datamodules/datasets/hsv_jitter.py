"""Random shifts of hue, saturation and value, which DeepLabv1's recipe has where DHR's jitters by factors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2


def to_hsv(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Take RGB (3, H, W) in 0…255 apart: hue in [0, 6), saturation and value in 0…255, each (H, W)."""
    value, low = image.amax(dim=0), image.amin(dim=0)
    chroma = value - low
    red, green, blue = image
    sixth = torch.where(
        value == red,
        (green - blue) / chroma,
        torch.where(value == green, 2 + (blue - red) / chroma, 4 + (red - green) / chroma),
    )
    hue = torch.where(chroma > 0, sixth, 0) % 6  # grey has none
    return hue, torch.where(value > 0, 255 * chroma / value, 0), value


def to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Put (3, H, W) in 0…255 together again."""
    channels = []
    for offset in (5, 3, 1):
        place = (offset + hue) % 6
        channels.append(value * (1 - saturation / 255 * torch.minimum(place, 4 - place).clamp(0, 1)))
    return torch.stack(channels)


class HSVJitter(v2.Transform):
    """Shift hue, saturation and value of an image by whole random numbers, in OpenCV's units; masks stay.

    Args:
        hue: largest shift, of 180 in the whole circle (YudeWang/semantic-segmentation-codebase: 10 for all three).
        saturation: likewise, of 255.
        value: likewise, of 255.
    """

    def __init__(self, hue: int, saturation: int, value: int) -> None:
        super().__init__()
        self.limits = (hue, saturation, value)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the three shifts, both ends included."""
        return {"shifts": [int(torch.randint(-limit, limit + 1, ())) for limit in self.limits]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Shift the colours of an image, uint8 (3, H, W)."""
        if not isinstance(inpt, tv_tensors.Image):
            return inpt
        by_hue, by_saturation, by_value = params["shifts"]
        hue, saturation, value = to_hsv(inpt.as_subclass(Tensor).float())
        shifted = to_rgb(
            (hue + by_hue / 30) % 6, (saturation + by_saturation).clamp(0, 255), (value + by_value).clamp(0, 255)
        )
        return tv_tensors.wrap(shifted.round().to(torch.uint8), like=inpt)
