"""Where the numbers of a fit go: always to ``metrics.csv``, and to what a person or `mars run` asks for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter
from pytorch_lightning.utilities import rank_zero_only

from callbacks.overlays import Overlays
from mars_pl.dashboards.identity import Identity


def listed(given: Any) -> list[Any]:
    """Return the trainer's plugins or loggers as a list, which one alone need not be."""
    return given if isinstance(given, list) else [] if given is None else [given]


def fit_loggers(given: Any, root: Path) -> Any:
    """Return a fit's loggers: ``metrics.csv`` beside those that are asked for, here or by `mars run … wandb=`.

    Args:
        given: the trainer's; False is none at all, None and True are no wish.
        root: folder of the fit.
    """
    if given is False:
        return False
    loggers = listed(None if given is True else given)
    if identity := Identity.told():
        from mars_pl.dashboards.fit_logger import RunLogger

        loggers = [*loggers, RunLogger.of(identity)]
    if not any(isinstance(logger, CSVLogger) for logger in loggers):
        keep_earlier_log(root)
        loggers = [CSVLogger(root, name="", version=""), *loggers]
    return loggers


def dashboard_callbacks(given: Sequence[Callback]) -> list[Callback]:
    """Return what a fit of `mars run … wandb=` shows beside its numbers."""
    wanted = Identity.told() is not None and not any(isinstance(one, Overlays) for one in given)
    return [Overlays()] if wanted else []


@rank_zero_only
def keep_earlier_log(root: Path) -> None:
    """Move the lines of a fit that was broken off to ``metrics-1.csv``, -2, …: CSVLogger starts its file anew."""
    log = root / ExperimentWriter.NAME_METRICS_FILE
    if log.is_file():
        log.rename(next(path for n in itertools.count(1) if not (path := root / f"{log.stem}-{n}.csv").exists()))
