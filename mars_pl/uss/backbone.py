"""The frozen vision transformer under STEGO: images in, a map of tokens out (STEGO section 3; MARS §3.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise
from mars_pl.networks.precision import at_least_single
from mars_pl.training.weights import load_weights
from mars_pl.uss.dino_positions import DINOTransformer
from mars_pl.uss.frozen import Frozen

LAST = (1.0,)
"""Depth of the last block."""

DINO = ".dino"
"""What timm's names of DINO's weights end with; later generations end otherwise."""


class FrozenViT(Frozen):
    """A timm vision transformer that gives the tokens of some blocks, after the final norm, and never learns.

    An image of another size than the weights were trained at needs other positions. Those of DINO's networks, whose
    names end with ``.dino``, are interpolated as DINO, STEGO and Leopart do it; all others as timm does.

    Args:
        name: of the architecture in timm.
        weights: a safetensors file with the keys of that architecture, half precision allowed.
        pretrained: fetch timm's own weights for ``name`` from its hub. With neither, the weights are random.
        mean: of the images the weights were trained on, RGB in [0, 1].
        std: likewise.
        scale: factor by which an image is enlarged first; 2 halves the stride of the map.
        depths: after which shares of the blocks tokens are taken, in (0, 1]; several are put one after the other in
            their channels. The last block alone is what the paper, STEGO and Leopart read.
        model_kwargs: further arguments of ``timm.create_model``, such as ``patch_size``.

    Raises:
        ValueError: where both ``weights`` and ``pretrained`` are given, the file does not fit, or a depth is none.
    """

    def __init__(
        self,
        name: str,
        weights: str | None = None,
        pretrained: bool = False,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        scale: float = 1.0,
        depths: Sequence[float] = LAST,
        model_kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if weights is not None and pretrained:
            raise ValueError(f"{name}: give either weights ({weights}) or pretrained, not both")
        if scale <= 0:
            raise ValueError(f"{name}: scale must be positive, got {scale}")
        self.network = timm.create_model(
            name, pretrained=pretrained, num_classes=0, dynamic_img_size=True, **(model_kwargs or {})
        )
        if name.endswith(DINO):
            self.network.__class__ = DINOTransformer
        if weights is not None:
            self.load(weights)
        self.normalise = Normalise(mean, std)
        self.scale = scale
        self.blocks = blocks_at(depths, len(self.network.blocks))
        self.dim: int = self.network.num_features * len(self.blocks)
        self.patch: tuple[int, int] = self.network.patch_embed.patch_size
        self.stride = (self.patch[0] / scale, self.patch[1] / scale)
        self.freeze()

    def load(self, weights: str) -> None:
        """Take the transformer's weights from a safetensors file; raises ValueError where they do not fit."""
        load_weights(self.network, weights)

    @torch.no_grad()
    def forward(self, image: Tensor, scale: float = 1.0) -> Tensor:
        """Map uint8 RGB (B, 3, H, W) to float32 tokens (B, dim, ⌈s·H/patch⌉, ⌈s·W/patch⌉).

        Where a side is no multiple of the patch, the image is stretched up to the next one, so that the map covers
        all of it and nothing else (as DHR does; STEGO itself only takes multiples).

        Args:
            image: uint8 RGB.
            scale: s is the network's own scale times this. Sides in pixels are rounded down before they are brought to
                a multiple of the patch, as in DHR.
        """
        normalised = self.normalise(image)
        height, width = image.shape[-2:]
        scale = scale * self.scale
        size = (enlarged_side(height, scale, self.patch[0]), enlarged_side(width, scale, self.patch[1]))
        if size != (height, width):
            normalised = F.interpolate(normalised, size, mode="bilinear", align_corners=False)
        return tokens_after(self.network, normalised, self.blocks)


def enlarged_side(side: int, scale: float, patch: int) -> int:
    """Return the pixels of a side at a scale, rounded down, and then up to the next multiple of the patch."""
    return patch * max(math.ceil(int(round(side * scale, 6)) / patch), 1)


def blocks_at(depths: Sequence[float], count: int) -> list[int]:
    """Return the places, from 0, of the blocks after which those shares of all ``count`` are passed, each once.

    Raises:
        ValueError: where there is no depth, or one is not in (0, 1].
    """
    if not depths or min(depths) <= 0 or max(depths) > 1:
        raise ValueError(f"depths: at least one, all above 0 and up to 1, not {list(depths)}")
    return list(dict.fromkeys(max(round(depth * count), 1) - 1 for depth in depths))


def tokens_after(network: nn.Module, normalised: Tensor, blocks: Sequence[int]) -> Tensor:
    """Return the tokens of a timm transformer after some blocks and the final norm, without class and register tokens.

    Args:
        network: the transformer.
        normalised: images (B, 3, H, W), sides multiples of the patch.
        blocks: their places, from 0.

    Returns:
        float32, or float64 of a network in it, (B, dim · blocks, H/patch, W/patch), contiguous, blocks in their order.
    """
    ascending = sorted(blocks)
    found = network.forward_intermediates(  # type: ignore[operator]
        normalised, indices=ascending, norm=True, stop_early=True, output_fmt="NCHW", intermediates_only=True
    )
    tokens = torch.cat([found[ascending.index(block)] for block in blocks], dim=1)
    # The networks that follow read one layout, whatever precision the trainer runs the backbone in.
    return at_least_single(tokens).contiguous()
