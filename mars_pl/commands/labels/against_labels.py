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
from mars_pl.commands.data_choice import data_choice, image_label_source


def shown_in(options: argparse.Namespace, ids: Sequence[str]) -> Shown | None:
    """Return what images show by their ids; None where no data folder is named, or it has no image labels: it is said.

    Args:
        options: of the command.
        ids: of the images.
    """
    if options.root is None or options.data is None:
        return None
    names = data_choice(options.data, options.root)[0]
    try:
        read = image_label_source(options.data, options.root, names)
    except DataError as error:
        print(f"the labels are not held against image labels: {error}")
        return None
    if read is None:
        return None
    labels, places = read(ids)[0], {image_id: place for place, image_id in enumerate(ids)}
    return Shown(names, lambda image_id: labels[places[image_id]])


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
