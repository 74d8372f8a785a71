"""Leopart's data: two large and some small crops of every image, and where they lie (its ``leopart_transforms.py``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from datamodules.datasets.sample import Sample, Samples
from datamodules.datasets.samplers import epoch_and_index
from datamodules.datasets.seeding import seeded
from datamodules.datasets.split_reader import SplitReader
from datamodules.datasets.training_set import TrainingSet
from datamodules.errors import DataError
from datamodules.files.tree import Tree, read_image

GLOBAL_CROPS = 2
PATIENCE = 1000
"""Draws after which a crop that should meet the large ones is given up."""
SIGMA = (0.1, 2.0)
"""Standard deviation of the blur, in pixels of the crop."""
KERNEL = 13
"""Side of its window: three deviations to each side."""


class MultiCrop:
    """Random crops that overlap, each in colours of its own. Random numbers come from torch's global generator.

    Every crop meets each large one in more than ``common`` of the image's area, a large one in twice that.

    Args:
        global_size: side of the two large crops, in pixels.
        local_size: side of the small crops, in pixels.
        local_crops: how many small crops.
        global_scale: range of a large crop's share of the image's area.
        local_scale: range of a small crop's share.
        common: see above; a share of the image's area.
        strength: of the change of colours; 1 in Leopart, 0 for none.
        grey: share of the crops that become grey.
        blur: share of the crops that are blurred.

    Raises:
        DataError: where crops are too small ever to meet as they should.
    """

    def __init__(
        self,
        global_size: int = 224,
        local_size: int = 96,
        local_crops: int = 4,
        global_scale: tuple[float, float] = (0.25, 1.0),
        local_scale: tuple[float, float] = (0.05, 0.25),
        common: float = 0.01,
        strength: float = 1.0,
        grey: float = 0.2,
        blur: float = 0.5,
    ) -> None:
        for name, scale, least in (("global_scale", global_scale, 2 * common), ("local_scale", local_scale, common)):
            if not least < scale[0] <= scale[1] <= 1:
                raise DataError(
                    f"data.training_set.{name}: {scale[0]} to {scale[1]}; crops must meet in {least} of the area: "
                    "name a range above it, up to 1"
                )
        self.sizes = [global_size] * GLOBAL_CROPS + [local_size] * local_crops
        self.common = common
        self.crops = [
            v2.RandomResizedCrop(size, scale=global_scale if k < GLOBAL_CROPS else local_scale)
            for k, size in enumerate(self.sizes)
        ]
        jitter = v2.ColorJitter(0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength)
        self.colours = v2.Compose(
            [
                v2.RandomApply([jitter], p=0.8),
                v2.RandomGrayscale(grey),
                v2.RandomApply([v2.GaussianBlur(KERNEL, SIGMA)], p=blur),
            ]
        )

    def __call__(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Crop one image, uint8 3×H×W.

        Returns:
            uint8 2×3×S×S, uint8 V×3×s×s, and float32 (2 + V)×4: each crop's left, top, right and bottom edge in pixels
            of the image.

        Raises:
            DataError: where no crop that meets the others was found.
        """
        boxes: list[Tensor] = []
        crops: list[Tensor] = []
        for k, size in enumerate(self.sizes):
            box = self._box(image, k, boxes[:GLOBAL_CROPS])
            boxes.append(box)
            left, top, right, bottom = box.int().tolist()
            cut = F.resized_crop(image, top, left, bottom - top, right - left, [size, size], antialias=True)
            crops.append(self.colours(cut))
        local = crops[GLOBAL_CROPS:]
        empty = image.new_zeros(0, 3, 0, 0)
        return torch.stack(crops[:GLOBAL_CROPS]), torch.stack(local) if local else empty, torch.stack(boxes)

    def _box(self, image: Tensor, k: int, others: Sequence[Tensor]) -> Tensor:
        least = (2 if k < GLOBAL_CROPS else 1) * self.common * image.shape[-2] * image.shape[-1]
        for _ in range(PATIENCE):
            drawn = self.crops[k].make_params([image])
            left, top = drawn["left"], drawn["top"]
            box = torch.tensor([left, top, left + drawn["width"], top + drawn["height"]], dtype=torch.float32)
            if all(common_area(box, other) > least for other in others):
                return box
        share = least / (image.shape[-2] * image.shape[-1])
        raise DataError(
            f"data.training_set: no crop {k} meets the large ones in {share:.3f} of the area; take larger crops"
        )


def common_area(first: Tensor, second: Tensor) -> float:
    """Return the pixels that two boxes (left, top, right, bottom) share."""
    sides = torch.minimum(first[2:], second[2:]) - torch.maximum(first[:2], second[:2])
    return float(sides.clamp(min=0).prod())


class MultiCropViews(TrainingSet):
    """The crops of each image to fit on; neither labels nor truth are read.

    Args:
        options: what `MultiCrop` takes.
    """

    def __init__(self, **options: Any) -> None:
        self.crop = MultiCrop(**options)

    def fit_set(self, reader: SplitReader, split: str, seed: int) -> Samples:
        """Return the crops of a list; raises DataError as `SplitReader` does."""
        return MultiCrops(reader.tree, reader.image_ids(split), self.crop, seed)


class MultiCrops(Samples):
    """The crops of each image of a list; the key of an item is (epoch, index), and with the seed decides them.

    Args:
        tree: where the images lie.
        ids: the images.
        crop: the random transform.
        seed: of the crops.
    """

    def __init__(self, tree: Tree, ids: Sequence[str], crop: MultiCrop, seed: int = 0) -> None:
        self.tree = tree
        self.ids = list(ids)
        self.crop = crop
        self.seed = seed

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        """Read and crop image `index` for `epoch`; raises DataError where it is missing or damaged."""
        epoch, index = epoch_and_index(key)
        image = read_image(self.tree.image(self.ids[index]))
        with seeded(self.seed, epoch, index):
            large, small, boxes = self.crop(image)
        return {"id": self.ids[index], "global_crops": large, "local_crops": small, "crop_boxes": boxes}
