"""The two predict jobs of the probe: cells of every image to teach it, and then the map that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from mars_pl.debias.batch import check_batch, image_features
from mars_pl.debias.debias_module import DebiasedMap
from mars_pl.debias.defaults import UPSAMPLE, Upsample
from mars_pl.debias.probe.probe import Probe
from mars_pl.debias.similarity import map_pixels
from mars_pl.training.stored_tensors import read_tensors


@dataclass  # not frozen: Lightning moves what predict returns
class ImageTokens:
    """Of one image: tokens (D, h, w), float32."""

    id: str
    tokens: Tensor


class TokensModule(pl.LightningModule):
    """Give the tokens of each image, from which ``ProbeWriter`` takes cells.

    Args:
        feature_extractor: uint8 (B, 3, H, W) to tokens (B, D, h, w) that cover the whole image.
    """

    def __init__(self, feature_extractor: nn.Module) -> None:
        super().__init__()
        self.feature_extractor = feature_extractor

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> ImageTokens:
        """Return the tokens of the one image in ``batch``; raises ValueError as ``check_batch`` does."""
        check_batch(batch)
        return ImageTokens(batch["id"][0], image_features(batch, self.feature_extractor))


class ProbedMapModule(pl.LightningModule):
    """Make M̂ᵈᵇ by the probe in place of Eq. 4: the probability that a pixel is an object, of whichever class.

    Args:
        feature_extractor: the one that the probe was taught with.
        probe: the ``probe.safetensors`` that the probe's stage wrote.
        upsample: ``features`` brings tokens to the image's size; ``similarity`` the probabilities, which is cheaper.

    Raises:
        ValueError: where the file is missing, or no probe.
    """

    def __init__(self, feature_extractor: nn.Module, probe: str, upsample: Upsample = UPSAMPLE) -> None:
        super().__init__()
        self.feature_extractor = feature_extractor
        self.upsample: Upsample = upsample
        self.probe = read_probe(probe)

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> DebiasedMap:
        """Make the map of the one image in ``batch``.

        Raises:
            ValueError: as ``check_batch`` does, and where the probe is one of other tokens.
        """
        check_batch(batch)
        height, width = batch["image"].shape[-2:]
        tokens = image_features(batch, self.feature_extractor)
        return DebiasedMap(batch["id"][0], map_pixels(tokens, (height, width), self.probe.objectness, self.upsample))


def read_probe(path: str | Path) -> Probe:
    """Read what ``ProbeWriter`` wrote.

    Raises:
        ValueError: where the file is missing, or no probe.
    """
    weight, bias = read_tensors(
        path,
        ["weight", "bias"],
        missing="no such probe; run the stage debias-probe first or name another file",
        damaged="not a file of a probe ({reason}); make it again",
    )
    if weight.ndim != 1 or bias.shape != (1,) or not bool(torch.cat([weight, bias]).isfinite().all()):
        shapes = f"{tuple(weight.shape)} and {tuple(bias.shape)}"
        raise ValueError(f"{path}: a probe of shapes {shapes}, or not finite; make it again")
    return Probe(weight, bias)
