"""Whole images of a list with what is known of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from datamodules.datasets.sample import Sample, Samples
from datamodules.files.features import read_features
from datamodules.files.image_labels import ImageLabels
from datamodules.files.scores import read_scores
from datamodules.files.shards.place import Folder
from datamodules.files.tree import Tree, read_codes, read_image


class VOCFolder(Samples):
    """Whole images in the order of the list.

    Args:
        tree: where the files lie.
        ids: the images.
        image_labels: of all of them by their places; None where there are none, then items have no `classes`.
        label_folder: every image's `<id>.png` becomes its `label`.
        truth_folder: where `<id>.png` exists it becomes `truth`.
        score_folder: every image's `<id>.npz` becomes its `class_ids` and `scores`.
        feature_folder: every image's `<id>.npy` becomes its `features`.
    """

    def __init__(
        self,
        tree: Tree,
        ids: Sequence[str],
        image_labels: ImageLabels | None,
        *,
        label_folder: Folder | None = None,
        truth_folder: Folder | None = None,
        score_folder: Folder | None = None,
        feature_folder: Folder | None = None,
    ) -> None:
        self.tree = tree
        self.ids = ids
        self.image_labels = image_labels
        self.label_folder = label_folder
        self.truth_folder = truth_folder
        self.score_folder, self.feature_folder = score_folder, feature_folder

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
        if self.feature_folder is not None:
            sample["features"] = read_features(self.feature_folder / f"{sample['id']}.npy")
        return sample

    def read(self, index: int) -> Sample:
        """Read item `index` without its truth, its scores and its features."""
        image_id = self.ids[index]
        sample: Sample = {"id": image_id, "image": read_image(self.tree.image(image_id))}
        if self.image_labels is not None:
            sample["classes"] = torch.from_numpy(self.image_labels.vector(index))
        if self.label_folder is not None:
            sample["label"] = read_codes(self.label_folder / f"{image_id}.png")
        return sample
