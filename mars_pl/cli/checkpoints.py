"""Checkpoints of which a good one is always there: a disk that is full, or a kill, costs the newest at most."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning_utilities.core.rank_zero import rank_zero_warn

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from datamodules.unpickle.stored_archive import check_stored
from mars_pl.cli.interruption import held
from mars_pl.training.pickle_depth import check_depth


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it once it is whole; keeps the one that was there before it.

    Lightning writes into the temporary folder and moves the file, which on another file system is a copy: a disk that
    is full there leaves half a checkpoint in the good one's place.
    """

    def save_checkpoint(  # noqa: D102 - Lightning's hook
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        path = Path(path)
        with held(), whole_file(path) as partial:
            with partial.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            if path.is_file():
                before = previous(path)
                before.unlink(missing_ok=True)
                with suppress(OSError):  # a file system without hard links keeps the newest alone
                    os.link(path, before)

    def load_checkpoint(  # noqa: D102 - Lightning's hook
        self, path: str | Path, map_location: Any = lambda storage, loc: storage, weights_only: bool | None = None
    ) -> dict[str, Any]:
        path = Path(path)
        found = _read(path, map_location, weights_only)
        if isinstance(found, dict):
            return found
        before = _read(previous(path), map_location, weights_only) if previous(path).is_file() else None
        if not isinstance(before, dict):
            raise DataError(f"{path}: {found}; name another checkpoint, or begin the fit anew without ckpt_path")
        rank_zero_warn(f"{path}: {found}; going on from the one before it, {previous(path)}")
        return before


def previous(path: Path) -> Path:
    """Return the place of the checkpoint that was at ``path`` before."""
    return path.with_name(f"previous-{path.name}")


def _read(path: Path, map_location: Any, weights_only: bool | None) -> dict[str, Any] | str:
    """Return a checkpoint, or why there is none."""
    try:
        with path.open("rb") as file:
            check_stored(file)
        check_depth(path)
        found = torch.load(path, map_location=map_location, weights_only=weights_only)
    except FileNotFoundError:
        return "no such checkpoint"
    except Exception as error:  # torch and its pickles raise all sorts at a damaged file
        return f"cannot be read as a checkpoint ({' '.join(str(error).split())[:120] or type(error).__name__})"
    return found if isinstance(found, dict) and "state_dict" in found else "not a checkpoint of Lightning"
