"""What both predict jobs of this stage ask of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
