"""Labels that are imported are held against the image labels, where the data folder is named."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules.contradictions import Shown
from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.labels import Label, codes_in
from mars_pl.commands.data_choice import data_choice, image_label_reader


def shown_in(options: argparse.Namespace) -> Shown | None:
    """Return what the images show; None where no data folder is named, or it has no image labels, which is said."""
    if options.root is None or options.data is None:
        return None
    names = data_choice(options.data, options.root)[0]
    try:
        read = image_label_reader(options.data, options.root, names)
    except DataError as error:
        print(f"the labels are not held against image labels: {error}")
        return None
    return read and Shown(names, read)


def contradictions(shown: Shown | None, image_id: str, path: Path, label: Label) -> list[Fault]:
    """Return what a label holds against its image's label."""
    against = shown.against(image_id, codes_in(label).ignored) if shown else None
    return [] if against is None else list(against(path, np.unique(label)))


def tell(found: Sequence[Sequence[Fault]]) -> None:
    """Print how many labels contradict their image labels, and the first."""
    faults = [fault for faults in found for fault in faults]
    if faults:
        share = len(faults) / len(found)
        print(f"{len(faults):,} of {len(found):,} labels ({share:.0%}) contradict the image labels: {faults[0].text}")
