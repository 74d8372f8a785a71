"""Random crops, each beside a crop of a picture that shows none of the classes (W-OoD)."""

from __future__ import annotations

from typing import Any

import torch

from datamodules.datasets.dataset import VOCFolder
from datamodules.datasets.image_files import ImageFiles, find_images
from datamodules.datasets.random_crops import RandomCrops, TrainingCrops
from datamodules.datasets.sample import Sample, Samples
from datamodules.datasets.split_reader import SplitReader
from datamodules.datasets.transforms import TrainingCrop
from datamodules.errors import DataError
from datamodules.files.labels import IGNORED, label_codes


class OutOfDistributionCrops(RandomCrops):
    """Random crops with ``ood_image``, a crop of a picture from elsewhere, in the same manner.

    Args:
        folder: of the pictures, which show companions and backgrounds of the classes and no class itself; sub-folders
            count.
        options: see `RandomCrops`.

    Attributes:
        crops: what the last fit learns from; its `images` and `others` are whole.
    """

    def __init__(self, folder: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.folder = folder
        self.crops: OutOfDistributionTrainingCrops | None = None

    def fit_set(self, reader: SplitReader, split: str, seed: int) -> Samples:
        """Return the crops of a list; raises DataError without a folder of pictures, or as `SplitReader` does."""
        if self.folder is None:
            raise DataError(
                "data.training_set.folder: W-OoD learns from pictures that show none of the classes; name their folder"
            )
        images = reader.whole_images(split, labelled=True, measured=False)
        others = ImageFiles(find_images(self.folder))
        ignored = label_codes(len(reader.class_names)).ignored
        self.crops = OutOfDistributionTrainingCrops(images, others, self.crop, seed, ignored)
        return self.crops


class OutOfDistributionTrainingCrops(TrainingCrops):
    """Images as random crops, each with one of the other pictures, drawn evenly by (seed, epoch, index).

    Args:
        images: the whole images.
        others: the pictures from elsewhere.
        crop: the random transform of both.
        seed: of crops and draws.
        ignored: code of the label where a crop is padded.
    """

    def __init__(
        self, images: VOCFolder, others: ImageFiles, crop: TrainingCrop, seed: int = 0, ignored: int = IGNORED
    ) -> None:
        super().__init__(images, crop, seed, ignored)
        self.others = others

    def cut(self, sample: Sample) -> None:
        """Crop a whole image in place, then one of the other pictures."""
        super().cut(sample)
        other = self.others[int(torch.randint(len(self.others), ()))]
        sample["ood_image"], _, _ = self.crop(other["image"])
