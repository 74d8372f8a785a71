"""What both predict jobs of this stage ask of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


def check_batch(batch: Mapping[str, Any]) -> None:
    """Look a predict batch over.

    Raises:
        ValueError: where it holds several images, no label or no image labels.
    """
    name = batch["id"][0]
    if len(batch["id"]) != 1:
        raise ValueError(f"{name}: one of {len(batch['id'])} images in a batch; debiasing takes them whole, one by one")
    for key, remedy in (("label", "set data.label_folder to a folder of labels"), ("classes", "set data.image_labels")):
        if key not in batch:
            raise ValueError(f"{name}: a batch without {key}; {remedy}")


def image_features(batch: Mapping[str, Any], feature_extractor: nn.Module | None) -> Tensor:
    """Ask the extractor for the features (D, h, w) of the one image, or without one take those that the batch brings.

    Raises:
        ValueError: where there is neither.
    """
    if feature_extractor is not None:
        features: Tensor = feature_extractor(batch["image"])[0]
        return features
    if "features" not in batch:
        raise ValueError(f"{batch['id'][0]}: no features; set model.feature_extractor or data.feature_folder")
    stored: Tensor = batch["features"][0].float()
    return stored
