"""ImageFiles of a list with what is known of them: crops to train on, whole images to evaluate and predict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from datamodules.datasets.sample import Sample
from datamodules.datasets.seeding import seeded
from datamodules.datasets.transforms import TrainingCrop
from datamodules.errors import DataError
from datamodules.files.image_labels import ImageLabels
from datamodules.files.scores import read_scores
from datamodules.files.tree import Tree, read_codes, read_image


class VOCFolder(Dataset[Sample]):
    """Whole images in the order of the list.

    Args:
        tree: where the files lie.
        ids: the images.
        image_labels: class vectors; an image without one has no `classes`.
        label_folder: every image's `<id>.png` becomes its `label`.
        truth_folder: where `<id>.png` exists it becomes `truth`.
        score_folder: every image's `<id>.npz` becomes its `class_ids` and `scores`.
    """

    def __init__(
        self,
        tree: Tree,
        ids: Sequence[str],
        image_labels: ImageLabels,
        label_folder: Path | None = None,
        truth_folder: Path | None = None,
        score_folder: Path | None = None,
    ) -> None:
        self.tree = tree
        self.ids = list(ids)
        self.image_labels = image_labels
        self.label_folder = label_folder
        self.truth_folder = truth_folder
        self.score_folder = score_folder

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample:
        """Read item `index` of the list; raises DataError where a file is missing or damaged."""
        sample = self.read(index)
        sample["valid"] = torch.ones(sample["image"].shape[-2:], dtype=torch.bool)
        if self.truth_folder is not None and (path := self.truth_folder / f"{sample['id']}.png").is_file():
            sample["truth"] = read_codes(path)
        if self.score_folder is not None:
            sample["class_ids"], sample["scores"] = read_scores(self.score_folder / f"{sample['id']}.npz")
        return sample

    def read(self, index: int) -> Sample:
        """Read item `index` without its truth and its scores."""
        image_id = self.ids[index]
        sample: Sample = {"id": image_id, "image": read_image(self.tree.image(image_id))}
        if image_id in self.image_labels:
            sample["classes"] = self.image_labels[image_id]
        if self.label_folder is not None:
            sample["label"] = read_codes(self.label_folder / f"{image_id}.png")
        return sample


class TrainingCrops(Dataset[Sample]):
    """The same images as random crops; the key of an item is (epoch, index), and with the seed decides its crop.

    So a fit that was broken off and resumed sees what it would have seen.

    Args:
        images: the whole images; their truth is never read.
        crop: the random transform.
        seed: of the crops.
    """

    def __init__(self, images: VOCFolder, crop: TrainingCrop, seed: int = 0) -> None:
        self.images = images
        self.crop = crop
        self.seed = seed

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        """Read and crop item `index` for `epoch`; raises DataError as `VOCFolder` does."""
        epoch, index = epoch_and_index(key)
        sample = self.images.read(index)
        with seeded(self.seed, epoch, index):
            image, label, sample["valid"] = self.crop(sample["image"], sample.get("label"))
        sample["image"] = image
        if label is not None:
            sample["label"] = label
        return sample


def epoch_and_index(key: object) -> tuple[int, int]:
    """Take a training key apart; raises DataError where another sampler than `EpochShuffle` made it."""
    if not isinstance(key, tuple):
        raise DataError("the trainer put a sampler of its own in: set trainer.use_distributed_sampler to false")
    epoch, index = key
    return epoch, index
