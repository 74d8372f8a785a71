"""Folders of label files: what one says about itself, and whether it is ours to write to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.errors import DataError
from datamodules.files.about import ABOUT, ABOUT_NETWORKS, read_about
from datamodules.files.labels import IGNORED, Label, label_codes, read_label
from datamodules.files.whole_file import make_folder


def claim(folder: Path) -> Path:
    """Make a folder for masks, or take one that we wrote before; returns it.

    Raises:
        DataError: where it holds PNG files without our `about.json`: they may be a truth that nobody can make again;
            or where a file is in its place.
    """
    if not (folder / ABOUT).is_file() and next(folder.glob("[!.]*.png"), None) is not None:
        raise DataError(f"{folder}: holds masks that mars did not write; name another folder, or move them away")
    return make_folder(folder)


def passed_on(folder: Path, note: str) -> dict[str, Any]:
    """Return the facts about masks that stay true when they are copied, and a note in front of their own."""
    left = read_about(folder)
    facts = {key: left[key] for key in (*ABOUT_NETWORKS, "refinement") if key in left}
    return facts | {"note": "; ".join(filter(None, (note, left.get("note"))))}


@dataclass(frozen=True)
class LabelFolder:
    """Our labels, with the codes that others have for biased and ignored pixels.

    Args:
        folder: holds `<id>.png`.
        num_classes: background counted.
        biased: code for 254.
        ignored: code for 255.
    """

    folder: Path
    num_classes: int
    biased: int
    ignored: int = IGNORED

    def __call__(self, image_id: str) -> Label:
        """Return the label of an image, uint8 (H, W); raises DataError where it holds a code that is no class."""
        path = self.folder / f"{image_id}.png"
        codes = label_codes(self.num_classes)
        label = read_label(path, self.num_classes)
        strange = label[(label >= self.num_classes) & (label < codes.biased)]
        if strange.size:
            known = f"0 to {self.num_classes - 1}, 254 and 255"
            raise DataError(f"{path}: holds code {strange[0]}, the data {known}; is it another data set's?")
        table = np.arange(256, dtype=np.uint8)
        table[[codes.biased, codes.ignored]] = self.biased, self.ignored
        return table[label]
