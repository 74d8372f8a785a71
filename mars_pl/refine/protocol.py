"""What sharpens a map along the image, whatever its means (Eq. 4's refinement)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor


class Refine(ABC):
    """Move the borders of class maps to the borders in the image.

    A channel that is zero everywhere in an image takes no part in that image's refinement and stays zero, so that a
    caller lets only the background and the image's own classes compete. ``None`` stands for no refinement.

    A base class and no `typing.Protocol`: jsonargparse takes a protocol whose call returns a class for a factory of
    that class, and refuses every ``class_path``.
    """

    @abstractmethod
    def __call__(self, images: Tensor, probabilities: Tensor) -> Tensor:
        """Refine a batch.

        Args:
            images: uint8 RGB of shape (B, 3, H, W).
            probabilities: float32 of shape (B, K, H, W) in [0, 1], summing to 1 over the channels.

        Returns:
            Probabilities of the same shape, on the same device.
        """
