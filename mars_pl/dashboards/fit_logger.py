"""The logger of a fit in Weights & Biases: a run of one identity, closed when the fit is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from mars_pl.dashboards.connection import check_connection
from mars_pl.dashboards.identity import Identity
from mars_pl.dashboards.session import log_files

WELL = ("success", "finished")
"""How a job says that it ended as it should; the second before SLURM puts it back into its queue."""


class RunLogger(WandbLogger):
    """Lightning's logger for Weights & Biases, whose run ends with the job: as failed, where that did.

    Args:
        artifacts: hand the weights of a fit on.
        options: of Lightning's logger and of `wandb.init`.

    Raises:
        DataError: where W&B is to be had online and cannot.
    """

    def __init__(self, artifacts: bool = False, **options: Any) -> None:
        offline = options.get("offline") or options.get("mode") == "offline" or os.environ.get("WANDB_MODE")
        if not offline:
            rank_zero_only(check_connection)("online")  # wandb itself would try for a minute and a half
        super().__init__(**options)
        self._wandb_init.pop("anonymous", None)  # wandb warns of it even where it is not set
        self.artifacts = artifacts

    @classmethod
    def of(cls, identity: Identity) -> RunLogger:
        """Return the logger of an identity."""
        import wandb

        words = identity.words()
        folder = words.pop("dir")  # which Lightning takes under another name
        Path(folder).mkdir(parents=True, exist_ok=True)
        settings = wandb.Settings(console="off", silent=True)
        return cls(identity.artifacts, save_dir=folder, **words, settings=settings)

    @rank_zero_only
    def take_weights(self, path: Path) -> None:
        """Hand a file of weights on, where that was asked for."""
        if self.artifacts:
            log_files(self.experiment, f"{self._wandb_init['job_type']}-{path.stem}", "weights", path)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close the run."""
        super().finalize(status)
        if self._experiment is not None:
            self._experiment.finish(exit_code=0 if status in WELL else 1)
            self._experiment = None
