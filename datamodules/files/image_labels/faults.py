"""What may be wrong with the label of one image."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from datamodules.errors import DataError


class NoLabelError(DataError):
    """An image has no label; `more` says how many others lack theirs, `named` what the source calls its first image."""

    def __init__(self, path: Path, image_id: str, more: int = 0, named: object = None) -> None:
        self.path, self.image_id, self.named = path, image_id, named
        others = f" and {more} more" if more else ""
        there = "" if named is None else f", its names are like {named!r}"
        super().__init__(f"{path}: no image label for {image_id}{others}{there}; add it or take it off the list")


class LabelFault(NamedTuple):
    """One image whose label is missing (`NoLabelError`) or does not fit the classes."""

    image_id: str
    error: DataError
