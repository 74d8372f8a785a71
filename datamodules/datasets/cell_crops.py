"""Random crops for a network that learns from cells: what a confident label is drawn from, averaged over each cell."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.datasets.dataset import VOCFolder
from datamodules.datasets.random_crops import RandomCrops, TrainingCrops
from datamodules.datasets.sample import Sample, Samples
from datamodules.datasets.split_reader import SplitReader
from datamodules.datasets.transforms import TrainingCrop
from datamodules.errors import DataError
from datamodules.files.scores import read_scores
from datamodules.files.shards.place import File, Folder


class CellCrops(RandomCrops):
    """Crops with the means over cells of the maps beside the confident labels (PSA and SEAM, voc12/data.py).

    A cell so gets the label of its mean probabilities. The commonest label of its pixels is another in .3 % of cells.

    Args:
        cell: side of a cell in pixels: the stride of the network that learns.
        options: see `RandomCrops`.

    Raises:
        ValueError: where a crop is not made of whole cells, or as `RandomCrops` does.
    """

    def __init__(self, cell: int = 8, **options: Any) -> None:
        super().__init__(**options)
        if cell < 1 or self.crop_size % cell:
            raise ValueError(f"crop_size: {self.crop_size} pixels are no whole number of cells of {cell} pixels")
        self.cell = cell

    def fit_set(self, reader: SplitReader, split: str, seed: int) -> Samples:
        """Return the crops of a list; raises DataError where there is no label folder, or it has no maps."""
        images = reader.whole_images(split, labelled=True, measured=False)
        folder = images.label_folder
        if folder is None:
            raise DataError("data.label_folder: cells learn from confident labels; name their folder")
        for image_id in images.ids:
            if not _maps_of(folder, image_id).is_file():
                raise DataError(
                    f"{_maps_of(folder, image_id)}: no maps beside the confident label; predict scores with a "
                    "BackgroundPowerLabels of this version"
                )
        return CellTrainingCrops(images, folder, self.crop, self.cell, len(reader.class_names), seed)


class CellTrainingCrops(TrainingCrops):
    """Images as random crops with ``competing`` in place of ``label``.

    Args:
        images: the whole images.
        folder: of the maps.
        crop: the random transform.
        cell: side of a cell in pixels.
        num_classes: background counted.
        seed: of the crops.
    """

    def __init__(
        self, images: VOCFolder, folder: Folder, crop: TrainingCrop, cell: int, num_classes: int, seed: int = 0
    ) -> None:
        super().__init__(images, crop, seed)
        self.folder, self.cell, self.num_classes = folder, cell, num_classes

    def cut(self, sample: Sample) -> None:
        """Crop a whole image and its maps in place, average the maps over cells; raises DataError for other maps."""
        path = _maps_of(self.folder, sample["id"])
        class_ids, maps = read_scores(path)
        own = class_ids[: len(class_ids) // 2]
        twice = len(own) > 0 and own[0] == 0 and torch.equal(class_ids, own.repeat(2))
        if not twice or maps.shape[-2:] != sample["image"].shape[-2:]:
            raise DataError(f"{path}: not the maps of this image's confident label; predict its scores again")
        sample["image"], cut, sample["valid"] = self.crop(sample["image"], maps, 0)
        assert cut is not None
        sample["competing"] = self._means(own, cut)
        del sample["label"]

    def _means(self, class_ids: Tensor, maps: Tensor) -> Tensor:
        """Average maps (2·(K + 1), S, S) of the image's own classes, and give each of all classes its channel."""
        cells = F.avg_pool2d(maps, self.cell).unflatten(0, (2, -1))
        competing = cells.new_zeros(2, self.num_classes, *cells.shape[-2:])
        competing[:, class_ids] = cells
        return competing


def _maps_of(folder: Folder, image_id: str) -> File:
    return folder / f"{image_id}.npz"
