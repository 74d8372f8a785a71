"""The scaffold of all writers: workers, a journal of what is done, and one end however many processes there were."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import pytorch_lightning as pl
from lightning_utilities.core.rank_zero import rank_zero_info
from pytorch_lightning.callbacks import BasePredictionWriter

from callbacks.writing.gather import gather_objects
from callbacks.writing.journal import AllDone, Done, Journal, read_journals, remove_journals
from callbacks.writing.output_folder import output_folder
from callbacks.writing.shards.job_shards import JobShards, refuse_shards
from callbacks.writing.worker_pool import WorkerPool, worker_count
from datamodules.errors import DataError
from datamodules.files.image_ids import ImageIds, each_once
from datamodules.files.shards.shard_file import SIZE

T = TypeVar("T")


class ImageWriter(BasePredictionWriter, ABC, Generic[T]):
    """Writes what a module predicts, image by image, and something about all of them at the end.

    A writer of one kind says what is done with an image (``image_call``) and what is written at the end
    (``write_end``). What was found in each image stands in a journal beside the files, so that the end is made of the
    same numbers in the same order whether one process did all images, several did, or some were done by a job that was
    broken off.

    Args:
        output: folder of the files, relative to the run's ``default_root_dir``.
        workers: processes for refinement and writing, null for one a core; 0 works in this one, on the trainer's device
            (PAMR on a GPU).
        resume: go on with the images that an earlier job of the same settings in the same folder has not done, rather
            than start afresh; where nothing is there, both are the same.
        shards: `here` packs what is written for every image into shards in the folder, a URL (`s3://bucket/labels`)
            into shards there; the index in the folder tells later stages where. Null leaves files.
        shard_size: MiB of files in a shard.
    """

    def __init__(
        self,
        output: str = ".",
        workers: int | None = None,
        resume: bool = False,
        shards: str | None = None,
        shard_size: float = SIZE,
    ) -> None:
        super().__init__("batch")
        self.output, self.workers, self.resume = output, workers, resume
        self.shards, self.shard_size = shards, shard_size
        self._shards: JobShards | None = None

    @abstractmethod
    def image_call(self, prediction: Any, batch: dict[str, Any], place: int) -> partial[T]:
        """Return the call that writes the files of one image, each whole or not at all, and gives what the end needs.

        It goes to a worker, so its arguments pickle (arrays, not tensors), and so does its result go to a journal.

        Args:
            prediction: of the image.
            batch: that it came in.
            place: of the image in the data's list.
        """

    @abstractmethod
    def write_end(self, done: Any, pl_module: Any) -> None:
        """Write what is to be said of all images; only the first process does.

        Args:
            done: what ``gathered`` returned.
            pl_module: of the job.
        """

    def image_files(self) -> Sequence[str]:
        """Return what is written for every image, ``{id}.png`` below the folder; what shards are made of."""
        return ()

    def predictions(self, prediction: Any) -> Iterable[Any]:
        """Take the prediction of a batch apart; it is that of one image."""
        return (prediction,)

    def open_journal(self, rank: int) -> Journal:
        """Open the journal of one process."""
        return Journal(self.folder, rank)

    def done_ids(self) -> Iterable[str]:
        """Return the images that an earlier job has done."""
        return (done.id for done in read_journals(self.folder))

    def gathered(self) -> Any:
        """Return what was found in all images."""
        return AllDone(self.folder)

    def forget(self) -> None:
        """Remove what says what was done."""
        remove_journals(self.folder)

    def can_go_on(self) -> bool:
        """Tell whether all that an earlier job left beside its journals is still there."""
        return True

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Make the folder; let the data leave out what is done, in time for its ``predict_dataloader``."""
        if stage != "predict":
            return
        self.folder = output_folder(trainer, self.output)
        self.data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if self.shards is None:
            refuse_shards(self.folder, self.image_files())
        else:
            self._shards = JobShards(self.folder, self.image_files(), self.shards, self.shard_size)
        ids = ImageIds()
        if trainer.is_global_zero:
            if not self.resume or not self.can_go_on():
                self.forget()
            ids = each_once(self.done_ids())
            if self._shards is not None:
                self._shards.begin(ids)
                self._shards.take_up(ids, trainer.global_rank)
        # Every process leaves out what the first one read, and none appends before it has read.
        done = gather_objects(ids)[0]
        if len(done):
            rank_zero_info(f"{self.folder}: {len(done)} are done, the job goes on with those that are left")
            self.data.leave_out(done)

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the journal; workers start with the calls that need them."""
        self._pool: WorkerPool[T] = WorkerPool(worker_count(self.workers, trainer))
        self._handed: deque[tuple[str, int]] = deque()
        self._journal, self._rank = self.open_journal(trainer.global_rank), trainer.global_rank

    def write_on_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        prediction: Any,
        batch_indices: Sequence[int] | None,
        batch: dict[str, Any],
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Hand the images of a batch to the workers.

        Raises:
            DataError: where the sampler does not say which items it took.
        """
        if not batch_indices:
            raise DataError(
                f"{self.folder}: the predict sampler does not tell its rows; use a DataLoader with a plain sampler"
            )
        for item_id, place, one in zip(batch["id"], batch_indices, self.predictions(prediction), strict=True):
            call = self.image_call(one, batch, place)
            self._handed.append((item_id, place))
            self._pool.submit(call.func, *call.args, **call.keywords)
        self._take_in()

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Wait for the last image of the last process; then, in the first process, write the end."""
        self._pool.close()
        self._take_in()
        if self._shards is not None:
            self._shards.pack_rest(trainer.global_rank)
        self._journal.close()
        trainer.strategy.barrier("writer: journals are whole")
        if trainer.is_global_zero:
            if self._shards is not None:
                self._shards.finish()
            self.write_end(self.gathered(), pl_module)
            self.forget()

    def _take_in(self) -> None:
        for result in self._pool.results():
            done = Done(*self._handed.popleft(), result)
            self._journal.append(done)
            if self._shards is not None:
                self._shards.take_in(done.id, self._rank)


def item_count(trainer: pl.Trainer) -> int:
    """Return how many images, or crops, a predict job has in all: those that an earlier one has done too."""
    loaders = trainer.predict_dataloaders
    loader = loaders[0] if isinstance(loaders, list) else loaders
    return len(loader.dataset)  # type: ignore[union-attr]
