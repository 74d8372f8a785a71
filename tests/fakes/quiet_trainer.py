"""A Lightning trainer for tests: on the CPU, without a word and without a file."""

import pytorch_lightning as pl


def quiet_trainer(**options):
    """Return a trainer that logs, prints and keeps nothing unless `options` say so."""
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return pl.Trainer(**{"accelerator": "cpu", **quiet, "enable_model_summary": False, **options})
