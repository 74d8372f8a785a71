"""A coloured image as another code base holds it."""

import numpy as np
import torch

from tests.debias.colours import ColourFeatures, coloured_image

RED = coloured_image("red", "im", truth=False)


def given(item, **changes):
    return tuple((item | changes)[key] for key in ("id", "image", "label", "classes"))


def as_arrays(item):
    """The same image, its sides first, in numpy's types."""
    return (
        item["id"],
        item["image"].permute(1, 2, 0).numpy(),
        item["label"].numpy().astype(np.uint8),
        item["classes"].numpy(),
    )


def by_colour(image):
    """What ``ColourFeatures`` does, as a function of H × W × 3."""
    return ColourFeatures()(torch.from_numpy(image).permute(2, 0, 1)[None])[0].numpy()
