"""The batch of an optimiser step, dealt out among processes and accumulated batches."""

from __future__ import annotations

from typing import NamedTuple

from datamodules.errors import DataError
from datamodules.processes import processes


class BatchShare(NamedTuple):
    """How the batch of an optimiser step is made up.

    Attributes:
        whole: images of the step, over all processes.
        processes: that share it.
        accumulated: batches that each of them takes before the step.
        each: images of such a batch.
    """

    whole: int
    processes: int
    accumulated: int
    each: int

    def __str__(self) -> str:
        """Say it as a product: ``16 = 4 processes × 4``."""
        parts = [f"{self.processes} processes"] if self.processes > 1 else []
        parts += [f"{self.accumulated} accumulated batches"] if self.accumulated > 1 else []
        return f"{self.whole} = {' × '.join([*parts, str(self.each)])}" if parts else str(self.whole)


def batch_share(whole: int, accumulated: int = 1, world: int | None = None) -> BatchShare:
    """Deal the batch of an optimiser step out.

    Args:
        whole: images of the step, over all processes and accumulated batches.
        accumulated: the trainer's ``accumulate_grad_batches``.
        world: number of processes; by default those that there are.

    Raises:
        DataError: where it does not come out even.
    """
    world = processes()[1] if world is None else world
    each, rest = divmod(whole, world * accumulated)
    if rest or not each:
        shared = f"{world} processes" + (f" × {accumulated} accumulated batches" if accumulated > 1 else "")
        fit = f"a multiple of {world * accumulated}" if world * accumulated > 1 else "1 or more"
        raise DataError(
            f"data.batch_size: {whole}, the batch of an optimiser step over all processes, does not divide among "
            f"{shared}; choose {fit}, or other trainer.devices"
        )
    return BatchShare(whole, world, accumulated, each)
