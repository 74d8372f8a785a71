"""The data of a run: what every stage reads, for any data set in the VOC layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_utilities.core.rank_zero import rank_zero_info
from torch.utils.data import DataLoader

from datamodules.checks import check_batch
from datamodules.datasets.batch_share import batch_share
from datamodules.datasets.image_files import images_at
from datamodules.datasets.random_crops import RandomCrops
from datamodules.datasets.sample import Batch, Samples
from datamodules.datasets.samplers import EachOnce, EpochShuffle, FitPosition, position_of
from datamodules.datasets.seeding import generator
from datamodules.datasets.split_reader import SplitReader
from datamodules.datasets.training_set import TrainingSet
from datamodules.errors import DataError
from datamodules.files.class_names import checked_names, class_ids
from datamodules.files.image_ids import ImageIds, as_image_ids, places_of
from datamodules.files.image_labels import Source
from datamodules.files.labels import label_codes
from datamodules.files.tree import FIT_SPLIT, PREDICT_SPLIT, VALIDATE_SPLIT, Tree


class SegmentationData(pl.LightningDataModule):
    """A folder in the VOC layout: a training set to fit on, whole images one by one to evaluate and predict.

    Args:
        root: folder that holds JPEGImages, ImageSets/Segmentation and the image labels.
        class_names: background first; their number becomes the networks' number of classes.
        label_folder: of label PNGs for fit and predict, or of their shards: its name in the root, a path or a URL.
        score_folder: of score files for predict, likewise; see `scores.py`.
        feature_folder: of feature files for predict, likewise; see `features.py`.
        fit_split: list in ImageSets/Segmentation to fit on.
        validate_split: list to validate and test on; null for none.
        predict_split: list to predict.
        images: predict this image, or those below this folder or in its shards, instead of a list; of the root
            nothing is read.
        image_labels: `npy` for cls_labels.npy, `json` or `parquet` for image_labels.json or .parquet, `xml` for
            Annotations, `auto` for the first that is there, or `none`.
        truth_folder: true masks, for measuring only; where one is missing its image is not measured. Null for none.
        scored_classes: names of the classes that means are taken over, background too where it counts; null for all.
        limit: only the first so many images of each list, for trials.
        batch_size: training samples of an optimiser step, over all processes and accumulated batches; of a prediction
            whose items are of one size, those of one process.
        workers: reading processes beside each training process.
        training_set: what a fit learns from; null for random crops as IRN and DHR take them, `RandomCrops`.
        seed: of order and augmentation.
    """

    def __init__(
        self,
        root: str,
        class_names: Sequence[str],
        *,
        label_folder: str | None = None,
        score_folder: str | None = None,
        feature_folder: str | None = None,
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
        training_set: TrainingSet | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.tree = Tree(Path(root))
        self.class_names = checked_names(class_names)
        self.fit_split, self.validate_split, self.predict_split = fit_split, validate_split, predict_split
        self.images = images
        self.scored_classes = scored_classes
        self.batch_size = batch_size
        self.workers = workers
        self.training_set = RandomCrops() if training_set is None else training_set
        self.seed = seed
        self.reader = SplitReader(
            self.tree,
            self.class_names,
            image_labels=image_labels,
            label_folder=label_folder,
            truth_folder=truth_folder,
            score_folder=score_folder,
            feature_folder=feature_folder,
            limit=limit,
        )
        self._fit: Samples | None = None
        self._evaluate: Samples | None = None
        self._predict: tuple[Samples, int] | None = None
        self._done = ImageIds()
        self._position = FitPosition()

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

    @property
    def crop_size(self) -> int | None:
        """Side of the crops that a fit learns from, in pixels; None where they are not all of one size."""
        return self.training_set.crop_size

    def prepare_data(self) -> None:
        """Prepare the root, unless it is images from elsewhere that are predicted."""
        if self.images is None:
            self.prepare_root()

    def prepare_root(self) -> None:
        """Make what the root lacks; a kind of data that has to be made says how."""

    def setup(self, stage: str) -> None:
        """Read the lists and look the files over; raises DataError with one line on the first fault."""
        if stage == "fit":
            self._position = FitPosition()
            self._fit = self.training_set.fit_set(self.reader, self.fit_split, self.seed)
            check_batch(len(self._fit), self.batch_size)
            self.reader.check_shown(self.fit_split, self.scored_classes)
        if stage in ("validate", "test") or (stage == "fit" and self._validates()):
            if self.validate_split is None:
                raise DataError("data.validate_split: there is no list to evaluate; name one")
            self._evaluate = self.reader.whole_images(self.validate_split)
        if stage == "predict":
            self._predict = self._predict_set()

    def train_dataloader(self) -> DataLoader[Batch]:
        """The training set, shuffled; the last, smaller batch is left out."""
        assert self._fit is not None
        if self.trainer is not None and self.trainer.overfit_batches:  # type: ignore[attr-defined]
            raise DataError("trainer.overfit_batches: these data shuffle by themselves; set data.limit to a few images")
        share = batch_share(self.batch_size, 1 if self.trainer is None else self.trainer.accumulate_grad_batches)
        rank_zero_info(f"batch of an optimiser step: {share}")
        sampler = EpochShuffle(len(self._fit), self.seed, share.whole)
        sampler.resume_at(self._position.epoch, self._position.batches * share.each)
        return self._loader(self._fit, share.each, sampler)

    def val_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """Whole images, each once."""
        return [] if self._evaluate is None else self._loader(self._evaluate, 1, EachOnce(len(self._evaluate)))

    test_dataloader = val_dataloader

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Images, or what the training set makes of them, each once."""
        assert self._predict is not None
        items, batch_size = self._predict
        return self._loader(items, batch_size, EachOnce(len(items), places_of(self._done, items.ids)))

    def state_dict(self) -> dict[str, int]:
        """Return where the fit stands, for its checkpoint."""
        return {} if self.trainer is None else position_of(self.trainer)._asdict()

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Read on where the checkpoint was written: Lightning says so too late, its loops are restored last.

        Raises:
            DataError: where the checkpoint has done more epochs than are asked for; Lightning lets one more pass.
        """
        self._position = FitPosition(**state_dict)
        most = None if self.trainer is None else self.trainer.max_epochs
        if most is not None and 0 <= most < self._position.epoch:
            raise DataError(
                f"trainer.max_epochs={most}: the checkpoint has done {self._position.epoch} epochs; "
                "ask for as many at least, or begin anew without ckpt_path"
            )

    def leave_out(self, ids: Iterable[str]) -> None:
        """Predict only the others: a job that was broken off has done these items already."""
        self._done = as_image_ids(ids)

    def _predict_set(self) -> tuple[Samples, int]:
        if self.images is None:
            return self.training_set.predict_set(self.reader, self.predict_split, self.batch_size)
        masks = None if self.trainer is None else Path(self.trainer.default_root_dir)
        return images_at(self.images, masks), 1

    def _validates(self) -> bool:
        return self.validate_split is not None and (self.trainer is None or self.trainer.enable_validation)

    def _loader(self, items: Samples, batch_size: int, sampler: EachOnce | EpochShuffle) -> DataLoader[Any]:
        return DataLoader(
            items,
            batch_size=batch_size,
            sampler=sampler,
            num_workers=self.workers,
            drop_last=isinstance(sampler, EpochShuffle),
            pin_memory=torch.cuda.is_available(),
            persistent_workers=self.workers > 0,
            generator=generator(self.seed),  # so that reading draws nothing from the global generator
        )
