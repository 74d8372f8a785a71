"""Pictures of any folder, each with its caption, as a CLIP learns from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torchvision.transforms import v2

from datamodules.datasets.image_files import read_upright
from datamodules.datasets.sample import Sample, Samples
from datamodules.datasets.samplers import epoch_and_index
from datamodules.datasets.seeding import seeded
from datamodules.datasets.split_reader import SplitReader
from datamodules.datasets.training_set import TrainingSet
from datamodules.errors import DataError
from datamodules.files.image_labels.captions import read_captions


class CaptionedPictures(TrainingSet):
    """Captioned pictures, cropped a little and resized to a square; of the data's lists nothing is read.

    Args:
        folder: of the pictures and their table, see `captions.py`.
        size: side of the square, in pixels: what the CLIP looks at.
        least_area: share of a picture that its crop has at least (open_clip: .9).
        flip: mirror every other picture.

    Raises:
        ValueError: where the share is not in (0, 1].
    """

    def __init__(self, folder: str | None = None, size: int = 224, least_area: float = 0.9, flip: bool = True) -> None:
        if not 0 < least_area <= 1:
            raise ValueError(f"least_area: a share in (0, 1], not {least_area}")
        self.folder = folder
        self.crop_size: int = size
        self.crop = SquareCrop(size, least_area, flip)

    def fit_set(self, reader: SplitReader, split: str, seed: int) -> Samples:
        """Return the pictures; raises DataError without a folder, or as `read_captions` does."""
        if self.folder is None:
            raise DataError("data.training_set.folder: a CLIP learns from captioned pictures; name their folder")
        return CaptionedCrops(read_captions(Path(self.folder))[: reader.limit], self.crop, seed)


class SquareCrop:
    """A random crop of a picture's own proportions, pressed into a square: so CLIMS shows its crops to CLIP.

    Args:
        size: side of the square, in pixels.
        least_area: share of the picture that is kept at least.
        flip: mirror every other picture.
    """

    def __init__(self, size: int, least_area: float, flip: bool) -> None:
        self.size, self.least_area, self.flip = size, least_area, flip

    def __call__(self, picture: Tensor) -> Tensor:
        """Map uint8 (3, H, W) to (3, size, size)."""
        share = (self.least_area + (1 - self.least_area) * float(torch.rand(()))) ** 0.5
        whole = picture.shape[1:]
        kept = [max(1, round(share * side)) for side in whole]
        top, left = (int(torch.randint(side - inner + 1, ())) for side, inner in zip(whole, kept, strict=True))
        crop = v2.functional.resized_crop(picture, top, left, *kept, size=[self.size, self.size], antialias=True)
        return v2.functional.horizontal_flip(crop) if self.flip and torch.rand(()) < 0.5 else crop


class CaptionedCrops(Samples):
    """Pictures with ``caption``; the key of an item is (epoch, index), and with the seed decides its crop.

    Args:
        pictures: (picture, caption).
        crop: the random transform.
        seed: of the crops.
    """

    def __init__(self, pictures: Sequence[tuple[Path, str]], crop: SquareCrop, seed: int = 0) -> None:
        self.pictures = pictures
        self.ids = [path.stem for path, _ in pictures]
        self.crop = crop
        self.seed = seed

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        """Read and crop picture `index` for `epoch`; raises DataError where it cannot be read."""
        epoch, index = epoch_and_index(key)
        path, caption = self.pictures[index]
        with seeded(self.seed, epoch, index):
            return {"id": self.ids[index], "image": self.crop(read_upright(path)), "caption": caption}
