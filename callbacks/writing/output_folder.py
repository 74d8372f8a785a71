"""Where a writer puts its files, and under which name it records its refinement."""

from __future__ import annotations

from pathlib import Path

import pytorch_lightning as pl

from datamodules.files.about import write_about
from mars_pl.refine.protocol import Refine

__all__ = ["output_folder", "refinement_name", "write_about"]


def output_folder(trainer: pl.Trainer, output: str) -> Path:
    """Return ``output``, relative to the run's ``default_root_dir``, as a folder that exists."""
    folder = Path(trainer.default_root_dir, output).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def refinement_name(refine: Refine | None) -> str:
    """Name under which a figure records its refinement."""
    if refine is None:
        return "none"
    name = type(refine).__name__
    return {"DenseCRF": "crf", "TorchDenseCRF": "torch_crf", "PAMR": "pamr"}.get(name, name)
