"""Pixel features F of whole images (MARS §3.1), computed when they are wanted and never stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.training.weights import load_weights
from mars_pl.uss.frozen import Frozen


class DenseFeatures(Frozen):
    """Frozen backbone and head as one network from images to features.

    Args:
        backbone: uint8 images to tokens, such as ``FrozenViT``.
        head: makes the network from tokens to code from the number of the backbone's channels, such as ``STEGOHead``;
            None gives the tokens themselves (``uss=backbone``, ``uss=leopart``).
        weights: what the fit left: of the head, or where there is none, of a fine-tuned backbone, in place of its own.
        flip: average with the un-flipped features of the mirrored image, as STEGO does at evaluation.
        shifts: s × s shifted images give interleaved maps with 1/s of the backbone's stride, at s² the cost.
            A token sees things at the size it was trained on, as it does not in an enlarged image.
        scales: of the image; the features at each, brought bilinearly to the grid of the largest, are averaged. DHR
            takes 2, 1, 1.5 and .5: 7.5 times the tokens of 1 and, as they attend to one another in pairs, up to 22
            times the work of their attention. A scale other than 1 needs a backbone that takes ``scale``.

    Raises:
        ValueError: where the weights do not fit, ``shifts`` is below 1, a scale is not positive or there is none, or
            where both shifts and scales are asked for.
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: Callable[[int], nn.Module] | None = None,
        weights: str | None = None,
        flip: bool = True,
        shifts: int = 1,
        scales: Sequence[float] = (1.0,),
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head: nn.Module = nn.Identity() if head is None else head(backbone.dim)  # type: ignore[arg-type]
        if weights is not None and head is None:
            backbone.load(weights)  # type: ignore[operator]
        elif weights is not None:
            load_weights(self.head, weights)
        if shifts < 1:
            raise ValueError(f"shifts: at least 1, not {shifts}")
        if not scales or min(scales) <= 0:
            raise ValueError(f"scales: at least one, all positive, not {list(scales)}")
        if shifts > 1 and tuple(scales) != (1.0,):
            raise ValueError(f"shifts: {shifts} go with the scale 1 alone, not with scales {list(scales)}")
        self.flip, self.shifts = flip, shifts
        self.scales = sorted(scales, reverse=True)
        self.dim: int = int((backbone if head is None else self.head).dim)  # type: ignore[arg-type]
        self.freeze()

    @torch.no_grad()
    def forward(self, image: Tensor) -> Tensor:
        """Map uint8 RGB (B, 3, H, W) to features (B, dim, h, w), not normalised to unit length.

        Tokens are float32; under autocast the head's codes have the trainer's precision.
        """
        if self.shifts == 1:
            return self._over_scales(image)
        down, right = (offsets(side, self.shifts) for side in self.backbone.stride)  # type: ignore[union-attr]
        above, beside = max(map(abs, down)), max(map(abs, right))
        padded = F.pad(image.float(), (beside, beside, above, above), mode="reflect").to(image.dtype)
        height, width = image.shape[-2:]
        rows = []
        for top in (above + move for move in down):
            views = [padded[..., top : top + height, left : left + width] for left in (beside + move for move in right)]
            maps = self._features(torch.cat(views)).chunk(self.shifts)
            rows.append(torch.stack(maps, dim=-1).flatten(-2))  # (B, D, h, w, s) → (B, D, h, w·s): columns interleave
        return torch.stack(rows, dim=-2).flatten(-3, -2)  # (B, D, h, s, w·s) → (B, D, h·s, w·s): rows interleave

    def _over_scales(self, image: Tensor) -> Tensor:
        total = self._features(image, self.scales[0])
        for scale in self.scales[1:]:
            smaller = self._features(image, scale)
            total = total + F.interpolate(smaller, total.shape[-2:], mode="bilinear", align_corners=False)
        return total / len(self.scales)

    def _features(self, image: Tensor, scale: float = 1.0) -> Tensor:
        features = self._one_way(image, scale)
        if self.flip:
            features = (features + self._one_way(image.flip(-1), scale).flip(-1)) / 2
        return features

    def _one_way(self, image: Tensor, scale: float) -> Tensor:
        features: Tensor = self.head(self.backbone(image) if scale == 1 else self.backbone(image, scale=scale))
        return features


def offsets(stride: float, shifts: int) -> list[int]:
    """Return by how many whole pixels the image moves for each interleaved map: cell centres at equal steps."""
    return [round(stride * ((step + 0.5) / shifts - 0.5)) for step in range(shifts)]
