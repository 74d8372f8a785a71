"""Networks of other packages, made to fit the last stage: segmentation-models-pytorch, torchvision, one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pkgutil import resolve_name
from typing import Any

import torch
from torch import Tensor, nn

from mars_pl.networks.aspp import resize
from mars_pl.networks.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise


class AdaptedNetwork(nn.Module):
    """A network for normalised images, found by its path, with the number of classes that the data has.

    Args:
        num_classes: including background.
        path: of a class or function that builds the network, e.g. ``segmentation_models_pytorch.Unet``.
        classes_argument: what the class calls that number (segmentation-models-pytorch: ``classes``).
        options: its further arguments.
        multiple: images are resized to sides that are multiples of this, where the network asks for it.
        output: key of the logits where the network returns a dict (torchvision: ``out``).
        mean: of RGB in [0, 1], as its weights were trained.
        std: likewise.

    Raises:
        ValueError: in one line, where the path leads nowhere or the arguments do not fit.
    """

    def __init__(
        self,
        num_classes: int,
        path: str,
        classes_argument: str = "num_classes",
        options: Mapping[str, Any] | None = None,
        multiple: int = 1,
        output: str | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        try:
            build = resolve_name(path)
        except (ImportError, AttributeError, ValueError) as error:
            package = path.split(".")[0].replace("_", "-")
            raise ValueError(f"{path}: {error}; pip install {package}, or mend the network's path") from None
        try:
            self.network: nn.Module = build(**{classes_argument: num_classes}, **(options or {}))
        except TypeError as error:
            raise ValueError(f"{path}: {error}; mend the network's options or classes_argument") from None
        self.normalise = Normalise(mean, std)
        self.multiple, self.output = multiple, output
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> Tensor:
        """Map uint8 images (B, 3, H, W) of any size to the network's logits (B, num_classes, h, w)."""
        normalised = self.normalise(image)
        sides = [max(round(side / self.multiple), 1) * self.multiple for side in image.shape[-2:]]
        if list(image.shape[-2:]) != sides:
            normalised = resize(normalised, sides)
        logits = self.network(normalised)
        return logits if self.output is None else logits[self.output]
