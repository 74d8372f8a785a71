"""Random crops whose labels are corrected while a fit runs, each beside the label that it had at first (ADELE)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

from datamodules.datasets.dataset import VOCFolder
from datamodules.datasets.random_crops import RandomCrops, TrainingCrops
from datamodules.datasets.sample import Sample, Samples
from datamodules.datasets.split_reader import SplitReader
from datamodules.datasets.transforms import TrainingCrop
from datamodules.errors import DataError
from datamodules.files.labels import IGNORED, Label, label_codes, write_label
from datamodules.files.tree import read_codes


class CorrectedLabels:
    """A folder of labels for each epoch: ``<folder>/<epoch>/<id>.png`` where an image's label is no longer the first.

    An epoch's labels never change once it has begun, so that an epoch which is repeated after a break sees the same.

    Attributes:
        folder: of the epochs; None until a fit says where it lies.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None

    def path(self, epoch: int, image_id: str) -> Path | None:
        """Return the file of an image's corrected label; None where it still has the first."""
        path = None if self.folder is None else self.folder / str(epoch) / f"{image_id}.png"
        return path if path is not None and path.is_file() else None

    def begin(self, epoch: int) -> None:
        """Empty an epoch's folder, and remove those that no checkpoint goes on with: it and the one before it do."""
        assert self.folder is not None
        shutil.rmtree(self.folder / str(epoch), ignore_errors=True)
        (self.folder / str(epoch)).mkdir(parents=True)
        for old in self.folder.iterdir():
            if old.name.isdigit() and int(old.name) < epoch - 2:
                shutil.rmtree(old)

    def write(self, epoch: int, image_id: str, label: Label) -> None:
        """Leave an image's label for an epoch, whole or not at all."""
        assert self.folder is not None
        path = self.folder / str(epoch) / f"{image_id}.png"
        path.parent.mkdir(parents=True, exist_ok=True)  # an image's id may name a folder
        write_label(path, label)


class CorrectedCrops(RandomCrops):
    """Random crops with ``label`` as corrected for the epoch and ``initial_label`` as it was at first.

    The callback ``CorrectLabels`` corrects; without it both are the same.

    Args:
        options: see `RandomCrops`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.corrected = CorrectedLabels()
        self.crops: CorrectedTrainingCrops | None = None

    def fit_set(self, reader: SplitReader, split: str, seed: int) -> Samples:
        """Return the crops of a list; raises DataError where there is no label folder, or as `SplitReader` does."""
        images = reader.whole_images(split, labelled=True, measured=False)
        if images.label_folder is None:
            raise DataError("data.label_folder: there are no labels to correct; name their folder")
        codes = label_codes(len(reader.class_names))
        self.crops = CorrectedTrainingCrops(images, self.crop, self.corrected, seed, codes.ignored)
        return self.crops


class CorrectedTrainingCrops(TrainingCrops):
    """Images as random crops, each with two labels.

    Args:
        images: the whole images with their first labels.
        crop: the random transform.
        corrected: the labels that took the place of first ones.
        seed: of the crops.
        ignored: code of the labels where a crop is padded.
    """

    def __init__(
        self,
        images: VOCFolder,
        crop: TrainingCrop,
        corrected: CorrectedLabels,
        seed: int = 0,
        ignored: int = IGNORED,
    ) -> None:
        super().__init__(images, crop, seed, ignored)
        self.corrected = corrected

    def whole(self, epoch: int, index: int) -> Sample:
        """Read a whole image with its first label and the one of an epoch; raises DataError as `VOCFolder` does."""
        sample = self.images.read(index)
        sample["initial_label"] = sample["label"]
        if path := self.corrected.path(epoch, sample["id"]):
            sample["label"] = read_codes(path)
        return sample

    def cut(self, sample: Sample) -> None:
        """Crop a whole image and both labels in place, by the same numbers."""
        both = torch.stack([sample["label"], sample["initial_label"]])
        sample["image"], cut, sample["valid"] = self.crop(sample["image"], both, self.ignored)
        assert cut is not None
        sample["label"], sample["initial_label"] = cut.unbind()
