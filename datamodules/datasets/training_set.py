"""What tells the data of one fit from that of another: a part of the data, named by its class path as networks are."""

from __future__ import annotations

from abc import ABC, abstractmethod

from datamodules.datasets.sample import Samples
from datamodules.datasets.split_reader import SplitReader


class TrainingSet(ABC):
    """Makes a list of images the data of a fit, and says how the same images are predicted."""

    crop_size: int | None = None
    """Side of the square crops that it makes, in pixels; None where they are not all of one size."""

    @abstractmethod
    def fit_set(self, reader: SplitReader, split: str, seed: int) -> Samples:
        """Return what a fit learns from; its items are read by (epoch, index), as `EpochShuffle` gives them.

        Args:
            reader: of the data's lists.
            split: name of the list.
            seed: decides, with epoch and index, everything that is random in an item.

        Raises:
            DataError: on the first fault of the list, its images or what else is read.
        """

    def predict_set(self, reader: SplitReader, split: str, batch_size: int) -> tuple[Samples, int]:
        """Return what is predicted, and how many items a batch has: whole images of their own sizes, one by one.

        Args:
            reader: of the data's lists.
            split: name of the list.
            batch_size: for items of one size.

        Raises:
            DataError: as for a fit.
        """
        return reader.whole_images(split, labelled=True, scored=True), 1
