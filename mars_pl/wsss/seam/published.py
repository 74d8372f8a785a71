"""Weights that YudeWang/SEAM's train_SEAM.py saved, under the names of our network."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mars_pl.networks.wide_resnet38_names import with_heads

HEADS = {
    "fc8": "classifier",
    "f8_3": "pixel_correlation.shallow",
    "f8_4": "pixel_correlation.deep",
    "f9": "pixel_correlation.embed",
}
"""Layers of network/resnet38_SEAM.py beside the backbone, and of `SEAM`."""


def published_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the state dict of a published SEAM (resnet38_SEAM.pth) for `SEAM` with 21 classes on `WideResNet38`.

    Raises:
        ValueError: where tensors are missing or are none of SEAM's.
    """
    return with_heads(state, HEADS, "SEAM")
