"""Random crops of whole images, on which all fits learn but those of STEGO and Leopart."""

from __future__ import annotations

from datamodules.datasets.dataset import VOCFolder
from datamodules.datasets.sample import Sample, Samples
from datamodules.datasets.samplers import epoch_and_index
from datamodules.datasets.seeding import seeded
from datamodules.datasets.split_reader import SplitReader
from datamodules.datasets.training_set import TrainingSet
from datamodules.datasets.transforms import TrainingCrop
from datamodules.files.labels import IGNORED, label_codes


class RandomCrops(TrainingSet):
    """One crop of each image an epoch, with its image labels and, where there is a label folder, its label.

    Args:
        crop_size: side of the crops, in pixels.
        long_side: range of the random long side before cropping, in pixels (IRN, DHR: 320 to 640).
        scale: range of a random scale, in place of long_side (DeepLab: 0.5 to 1.5); set long_side to null with it.
        scale_choices: instead of both, the scales to choose from (DeepLabv2: 0.5, 0.75, 1, 1.25, 1.5).
        colour_jitter: strengths of brightness, contrast, saturation and hue (DHR: 0.3, 0.3, 0.3, 0.1); null for none.
        hsv_jitter: largest shifts of hue (of 180), saturation, value (of 255) (DeepLabv1: 10, 10, 10); null for none.
        flip: mirror every other image.

    Raises:
        ValueError: where several of long_side, scale and scale_choices are given, or a range is odd.
    """

    def __init__(
        self,
        crop_size: int = 512,
        long_side: tuple[int, int] | None = (320, 640),
        scale: tuple[float, float] | None = None,
        scale_choices: list[float] | None = None,
        colour_jitter: tuple[float, float, float, float] | None = None,
        hsv_jitter: tuple[int, int, int] | None = None,
        flip: bool = True,
    ) -> None:
        self.crop_size: int = crop_size
        self.crop = TrainingCrop(
            crop_size,
            long_side=long_side,
            scale=scale,
            scale_choices=scale_choices,
            colour_jitter=colour_jitter,
            hsv_jitter=hsv_jitter,
            flip=flip,
        )

    def fit_set(self, reader: SplitReader, split: str, seed: int) -> Samples:
        """Return the crops of a list; raises DataError as `SplitReader` does."""
        images = reader.whole_images(split, labelled=True, measured=False)
        return TrainingCrops(images, self.crop, seed, label_codes(len(reader.class_names)).ignored)


class TrainingCrops(Samples):
    """Images as random crops; the key of an item is (epoch, index), and with the seed decides its crop.

    So a fit that was broken off and resumed sees what it would have seen.

    Args:
        images: the whole images; their truth is never read.
        crop: the random transform.
        seed: of the crops.
        ignored: code of the label where a crop is padded.
    """

    def __init__(self, images: VOCFolder, crop: TrainingCrop, seed: int = 0, ignored: int = IGNORED) -> None:
        self.images = images
        self.crop = crop
        self.seed = seed
        self.ignored = ignored

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        """Read and crop item `index` for `epoch`; raises DataError as `VOCFolder` does."""
        epoch, index = epoch_and_index(key)
        sample = self.whole(epoch, index)
        with seeded(self.seed, epoch, index):
            self.cut(sample)
        return sample

    def whole(self, epoch: int, index: int) -> Sample:
        """Read a whole image as an epoch has it; raises DataError as `VOCFolder` does."""
        return self.images.read(index)

    def cut(self, sample: Sample) -> None:
        """Crop a whole image and its label in place."""
        image, label, sample["valid"] = self.crop(sample["image"], sample.get("label"), self.ignored)
        sample["image"] = image
        if label is not None:
            sample["label"] = label
