"""The data of a run: what every stage reads, for any data set in the VOC layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from datamodules.checks import check_batch
from datamodules.datasets.dataset import TrainingCrops, VOCFolder
from datamodules.datasets.five_crops import CropPairs, FiveCrops
from datamodules.datasets.image_files import ImageFiles, check_apart, find_images
from datamodules.datasets.multi_crops import MultiCrop, MultiCrops
from datamodules.datasets.sample import Batch, Sample
from datamodules.datasets.samplers import EachOnce, EpochShuffle, check_processes
from datamodules.datasets.seeding import generator
from datamodules.datasets.split_reader import SplitReader
from datamodules.datasets.transforms import TrainingCrop
from datamodules.errors import DataError
from datamodules.files.class_names import checked_names, class_ids
from datamodules.files.image_labels import Source
from datamodules.files.labels import label_codes
from datamodules.files.tree import FIT_SPLIT, PREDICT_SPLIT, VALIDATE_SPLIT, Tree


class SegmentationData(pl.LightningDataModule):
    """A folder in the VOC layout: crops to fit on, whole images one by one to evaluate and predict.

    Args:
        root: folder that holds JPEGImages, ImageSets/Segmentation and the image labels.
        class_names: background first; their number becomes the networks' number of classes.
        labels: folder of label PNGs for fit and predict: its name in the root, or a path.
        scores: folder of score files for predict, likewise; see `scores.py`.
        fit_split: list in ImageSets/Segmentation to fit on.
        validate_split: list to validate and test on; null for none.
        predict_split: list to predict.
        images: predict this image, or those in this folder and its sub-folders, instead of a list; nothing is
            known of them, the root is not read.
        image_labels: `npy` for cls_labels.npy, `xml` for Annotations, `auto` for the first of them that is there,
            `none` where the stage needs no image labels.
        truth_folder: true masks, for measuring only; where one is missing its image is not measured. Null for none.
        scored_classes: names of the classes that means are taken over, background too where it counts; null for all.
        limit: only the first so many images of each list, for trials.
        batch_size: training samples a step and process.
        workers: reading processes beside each training process.
        crop_size: side of the training crops, and of the five crops.
        long_side: range of the random long side before cropping (IRN, DHR: 320 to 640).
        scale: range of a random scale, in place of long_side (DeepLab: 0.5 to 1.5); set long_side to null with it.
        scale_choices: instead of both, the scales to choose from (DeepLabv2: 0.5, 0.75, 1, 1.25, 1.5).
        colour_jitter: strengths of brightness, contrast, saturation and hue (DHR: 0.3, 0.3, 0.3, 0.1); null for none.
        hsv_jitter: largest shifts of hue (of 180), saturation, value (of 255) (DeepLabv1: 10, 10, 10); null for none.
        flip: mirror every other training image.
        five_crops: fit and predict on STEGO's five crops of each image instead.
        neighbours: neighbours of the crops, as the neighbour job wrote them; a fit on five crops needs them.
        tokens: backbone tokens of the crops; with them a fit on five crops reads no image.
        multi_crops: fit on Leopart's overlapping crops of each image instead; null for none.
        seed: of order and augmentation.
    """

    def __init__(
        self,
        root: str,
        class_names: Sequence[str],
        labels: str | None = None,
        scores: str | None = None,
        fit_split: str = FIT_SPLIT,
        validate_split: str | None = VALIDATE_SPLIT,
        predict_split: str = PREDICT_SPLIT,
        images: str | None = None,
        image_labels: Source = "auto",
        truth_folder: str | None = "SegmentationClass",
        scored_classes: list[str] | None = None,
        limit: int | None = None,
        batch_size: int = 16,
        workers: int = 2,
        crop_size: int = 512,
        long_side: tuple[int, int] | None = (320, 640),
        scale: tuple[float, float] | None = None,
        scale_choices: list[float] | None = None,
        colour_jitter: tuple[float, float, float, float] | None = None,
        hsv_jitter: tuple[int, int, int] | None = None,
        flip: bool = True,
        five_crops: bool = False,
        neighbours: str | None = None,
        tokens: str | None = None,
        multi_crops: MultiCrop | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.tree = Tree(Path(root))
        self.class_names = checked_names(class_names)
        self.fit_split = fit_split
        self.validate_split = validate_split
        self.predict_split = predict_split
        self.images = images
        self.scored_classes = scored_classes
        self.batch_size = batch_size
        self.workers = workers
        self.crop_size = crop_size
        self.crop = TrainingCrop(
            crop_size, long_side, scale, colour_jitter, flip, scale_choices, hsv_jitter, self.ignore_index
        )
        self.five_crops = five_crops
        self.neighbours = neighbours
        self.tokens = tokens
        self.multi_crops = multi_crops
        self.seed = seed
        self.reader = SplitReader(self.tree, self.class_names, image_labels, labels, truth_folder, scores, limit)
        self._fit: TrainingCrops | CropPairs | MultiCrops | None = None
        self._evaluate: VOCFolder | None = None
        self._predict: VOCFolder | FiveCrops | ImageFiles | None = None
        self._done: frozenset[str] = frozenset()

    @property
    def num_classes(self) -> int:
        """Number of classes, background counted."""
        return len(self.class_names)

    @property
    def ignore_index(self) -> int:
        """Code of pixels that neither train nor score."""
        return label_codes(self.num_classes).ignored

    @property
    def biased_index(self) -> int:
        """Code of biased pixels (Eq. 5)."""
        return label_codes(self.num_classes).biased

    @property
    def scored_class_ids(self) -> list[int] | None:
        """Label ids of the classes that means are taken over; None for all. Raises DataError for an unknown name."""
        return None if self.scored_classes is None else class_ids(self.scored_classes, self.class_names)

    def prepare_data(self) -> None:
        """Prepare the root, unless it is images from elsewhere that are predicted."""
        if self.images is None:
            self.prepare_root()

    def prepare_root(self) -> None:
        """Make what the root lacks; a kind of data that has to be made says how."""

    def setup(self, stage: str) -> None:
        """Read the lists and look the files over.

        Raises:
            DataError: one line on the first fault; see `checks.py`.
        """
        if stage == "fit":
            self._fit = self._fit_set()
        if stage in ("validate", "test") or (stage == "fit" and self._validates()):
            self._evaluate = self.reader.whole_images(self._validate_split())
        if stage == "predict":
            self._predict = self._predict_set()

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled crops; the last, smaller batch is left out."""
        assert self._fit is not None
        sampler = EpochShuffle(len(self._fit), self.seed)
        if self.trainer is not None:
            # A resumed fit starts the readers before Lightning calls set_epoch: they would read epoch 0 again.
            progress = self.trainer.fit_loop.epoch_progress.current
            sampler.set_epoch(progress.processed)  # type: ignore[attr-defined]
        return self._loader(self._fit, sampler, self.batch_size, drop_last=True)

    def val_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """Whole images, each once."""
        return [] if self._evaluate is None else self._loader(self._evaluate, EachOnce(len(self._evaluate)), 1)

    def test_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """The same as for validation."""
        return self.val_dataloader()

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Whole images, each once, one a batch; five crops are of one size and come `batch_size` at a time."""
        assert self._predict is not None
        done = {index for index, item_id in enumerate(self._predict.ids) if item_id in self._done}
        sampler = EachOnce(len(self._predict), done)
        return self._loader(self._predict, sampler, self.batch_size if self.five_crops else 1)

    def leave_out(self, ids: Iterable[str]) -> None:
        """Predict only the others: a job that was broken off has done these images (crops, where those are predicted)."""
        self._done = frozenset(ids)

    def _fit_set(self) -> TrainingCrops | CropPairs | MultiCrops:
        data: TrainingCrops | CropPairs | MultiCrops
        if self.five_crops and self.multi_crops is not None:
            raise DataError("data.five_crops, data.multi_crops: a fit takes one kind of crops; set the other to null")
        if self.five_crops:
            if self.neighbours is None:
                raise DataError("data.neighbours: a fit on five crops needs them; make them with a predict job first")
            tokens = None if self.tokens is None else Path(self.tokens)
            data = CropPairs(self._five_crops(self.fit_split), Path(self.neighbours), tokens, self.seed)
        elif self.multi_crops is not None:
            data = MultiCrops(self.tree, self.reader.image_ids(self.fit_split), self.multi_crops, self.seed)
        else:
            data = TrainingCrops(
                self.reader.whole_images(self.fit_split, labelled=True, measured=False), self.crop, self.seed
            )
        check_batch(len(data), self.batch_size)
        return data

    def _predict_set(self) -> VOCFolder | FiveCrops | ImageFiles:
        if self.images is not None:
            found = find_images(Path(self.images))
            check_processes(len(found))
            if self.trainer is not None:
                check_apart(found, Path(self.trainer.default_root_dir))
            return ImageFiles(found)
        if self.five_crops:
            return self._five_crops(self.predict_split)
        return self.reader.whole_images(self.predict_split, labelled=True, scored=True)

    def _five_crops(self, split: str) -> FiveCrops:
        return FiveCrops(self.tree, self.reader.image_ids(split), self.crop_size)

    def _validates(self) -> bool:
        return self.validate_split is not None and (self.trainer is None or self.trainer.enable_validation)

    def _validate_split(self) -> str:
        if self.validate_split is None:
            raise DataError("data.validate_split: there is no list to evaluate; name one")
        return self.validate_split

    def _loader(
        self, dataset: Dataset[Sample], sampler: Sampler[Any], batch_size: int, drop_last: bool = False
    ) -> DataLoader[Any]:
        return DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            num_workers=self.workers,
            drop_last=drop_last,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=self.workers > 0,
            generator=generator(self.seed),  # so that reading draws nothing from the global generator
        )
