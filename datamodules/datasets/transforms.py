"""Training transforms of image, label and valid mask together, by torchvision's v2 transforms.

Random numbers come from torch's global generator, which the data set seeds for each item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from datamodules.datasets.hsv_jitter import HSVJitter
from datamodules.files.labels import IGNORED

MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean colour: padding with it is padding with zeros after normalisation, as IRN and DHR do."""

Range = tuple[float, float]


class RandomResize(v2.Transform):
    """Resize all together, sides kept in proportion: the image bicubic, a mask by the pixel under each new centre.

    So does PIL's nearest, by which IRN, DHR, RS+EPM and deeplab-pytorch resize labels. torchvision's own way with masks
    takes pixels up and left of these: labels half a pixel beside the image.

    Args:
        long_side: the long side becomes a random whole number of pixels in this range, both ends included.
        scale: instead of it, both sides are multiplied by a random number in this range.
        scale_choices: or by one of these numbers.

    Raises:
        ValueError: where several are given or none.
    """

    def __init__(
        self,
        long_side: tuple[int, int] | None = None,
        scale: Range | None = None,
        scale_choices: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if sum(given is not None for given in (long_side, scale, scale_choices)) != 1:
            raise ValueError("give long_side or scale or scale_choices, one of them (null takes one back)")
        low, high = long_side or scale or (min(scale_choices or (0,)), max(scale_choices or (0,)))
        if not 0 < low <= high:
            raise ValueError(f"a range of sizes goes from a positive number to a larger one, not from {low} to {high}")
        self.long_side = long_side
        self.scale = scale
        self.scale_choices = scale_choices

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the size (height, width)."""
        height, width = v2.query_size(flat_inputs)
        if self.long_side is not None:
            low, high = self.long_side
            factor = int(torch.randint(low, high + 1, ())) / max(height, width)
        elif self.scale_choices is not None:
            factor = self.scale_choices[int(torch.randint(len(self.scale_choices), ()))]
        else:
            low_scale, high_scale = self.scale or (1.0, 1.0)
            factor = low_scale + (high_scale - low_scale) * float(torch.rand(()))
        return {"size": [max(round(height * factor), 1), max(round(width * factor), 1)]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Resize one of the inputs."""
        size = params["size"]
        if isinstance(inpt, tv_tensors.Mask):  # torchvision's kernel for masks takes no interpolation
            maps = inpt.as_subclass(Tensor).reshape(-1, *inpt.shape[-2:])
            resized = F.resize_image(maps, size, interpolation=v2.InterpolationMode.NEAREST_EXACT)
            return tv_tensors.wrap(resized.reshape(*inpt.shape[:-2], *size), like=inpt)
        return self._call_kernel(F.resize, inpt, size, interpolation=v2.InterpolationMode.BICUBIC, antialias=True)


class TrainingCrop:
    """Random size, flip, colours and crop, in the order of IRN and DHR; HSV shifts come first, as with DeepLabv1.

    Args:
        crop_size: side of the square crop; what is smaller is padded.
        long_side: see `RandomResize`.
        scale: see `RandomResize`.
        colour_jitter: strengths of brightness, contrast, saturation and hue; None leaves colours alone.
        flip: mirror every other image.
        scale_choices: see `RandomResize`; with none of the three nothing is resized.
        hsv_jitter: largest shifts of hue, saturation and value, see `HSVJitter`; None leaves colours alone.
    """

    def __init__(
        self,
        crop_size: int,
        long_side: tuple[int, int] | None = None,
        scale: Range | None = None,
        colour_jitter: Sequence[float] | None = None,
        flip: bool = True,
        scale_choices: Sequence[float] | None = None,
        hsv_jitter: tuple[int, int, int] | None = None,
    ) -> None:
        steps: list[Any] = []
        if hsv_jitter is not None:
            steps.append(HSVJitter(*hsv_jitter))
        if any(given is not None for given in (long_side, scale, scale_choices)):
            steps.append(RandomResize(long_side, scale, scale_choices))
        if flip:
            steps.append(v2.RandomHorizontalFlip())
        if colour_jitter is not None:
            steps.append(v2.ColorJitter(*colour_jitter))
        fill = {tv_tensors.Image: MEAN_COLOUR, tv_tensors.Mask: 0}
        steps.append(v2.RandomCrop(crop_size, pad_if_needed=True, fill=fill))
        self._steps = v2.Compose(steps)

    def __call__(
        self, image: Tensor, label: Tensor | None = None, ignored: int = IGNORED
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Transform one item.

        Args:
            image: uint8 3×H×W.
            label: int64 H×W, or None.
            ignored: code of the label in the padding.

        Returns:
            image uint8 3×S×S (padding in ImageNet's mean colour), label int64 S×S (padding ignored) or None, and valid,
            bool S×S, False in the padding.
        """
        valid = torch.ones(image.shape[-2:], dtype=torch.uint8)
        masks = [tv_tensors.Mask(mask) for mask in (valid, label) if mask is not None]
        image, *cut = (item.as_subclass(Tensor) for item in self._steps(tv_tensors.Image(image), *masks))
        valid = cut[0].bool()
        return image, cut[1].masked_fill(~valid, ignored) if label is not None else None, valid
