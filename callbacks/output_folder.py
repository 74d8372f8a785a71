"""Where a writer puts its files, and what it leaves beside them about how they were made."""

from __future__ import annotations

import json
from pathlib import Path

import pytorch_lightning as pl

from mars_pl.refine.protocol import Refine


def output_folder(trainer: pl.Trainer, output: str) -> Path:
    """Return ``output``, relative to the run's ``default_root_dir``, as a folder that exists."""
    folder = Path(trainer.default_root_dir, output).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def refinement_name(refine: Refine | None) -> str:
    """Name under which a figure records its refinement."""
    return (
        "none"
        if refine is None
        else {"DenseCRF": "crf", "PAMR": "pamr"}.get(type(refine).__name__, type(refine).__name__)
    )


def write_about(folder: Path, **facts: str | bool | None) -> None:
    """Leave ``about.json`` beside masks, so that every figure of them says refinement, network and scales."""
    (folder / "about.json").write_text(json.dumps(facts))
