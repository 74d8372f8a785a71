"""STEGO's crops: every image as four corners and a centre.

The released code cuts five crops of half of each side beforehand, saves them as JPEG and resizes them by the nearest
pixel; here they are cut while reading and resized bilinearly with antialiasing, which is cleaner.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torchvision.transforms.v2 import functional as F

from datamodules.datasets.sample import Sample, Samples
from datamodules.files.tree import Tree, read_image

CROPS = 5
"""Crops of an image: the corners from the upper left, row by row, and the centre."""


class FiveCrops(Samples):
    """Crops in the order of the list, five an image: item 5·i + k is crop k of image i, its id `<id>@k`.

    A crop has half the height and half the width, is resized until its short side is `size` (bilinear) and then cut to
    a square around its centre.

    Args:
        tree: where the images lie.
        ids: the images.
        size: side of the square, in pixels.
    """

    def __init__(self, tree: Tree, ids: Sequence[str], size: int) -> None:
        self.tree = tree
        self.images = list(ids)
        self.size = size
        self.ids = [f"{image_id}@{k}" for image_id in self.images for k in range(CROPS)]

    def __len__(self) -> int:
        return CROPS * len(self.images)

    def __getitem__(self, index: int) -> Sample:
        """Cut crop `index`; raises DataError where the image is missing or damaged."""
        image_id, k = self.images[index // CROPS], index % CROPS
        return {"id": f"{image_id}@{k}", "image": self._cut(read_image(self.tree.image(image_id)), k)}

    def _cut(self, image: Tensor, k: int) -> Tensor:
        height, width = image.shape[-2:]
        crop: Tensor = F.five_crop(image, [max(height // 2, 1), max(width // 2, 1)])[k]
        return F.center_crop(F.resize(crop, [self.size], antialias=True), [self.size, self.size])
