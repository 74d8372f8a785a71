"""What a dashboard shows, as plain values: tables, histograms, curves, images with masks. Nothing here knows wandb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.files.drawing import Picture
from datamodules.files.labels import BIASED, IGNORED, label_codes


@dataclass
class Overlay:
    """One image, uint8 (H, W, 3), and its masks by name, uint8 (H, W) each."""

    image_id: str
    picture: Picture
    masks: dict[str, NDArray[np.uint8]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Rows under columns; a cell may be an `Overlay`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Histogram:
    """Values whose distribution is shown."""

    values: Sequence[float]


@dataclass(frozen=True)
class Curve:
    """Figures over one of their own: ``<name>/<key>`` against ``<name>/<along>``."""

    along: str
    rows: Sequence[Mapping[str, float | None]]


Item = float | int | str | Table | Histogram | Curve | Overlay
Items = dict[str, Item]
"""By the name of their panel; what stands before the first slash is its section."""


def class_labels(overlay: Overlay, names: Sequence[str]) -> dict[int, str]:
    """Return what each code in the masks of an overlay is called; a class without a name goes by its number.

    Args:
        overlay: with masks of 8 bits.
        names: of the classes, background first.
    """
    known = dict(enumerate(names)) if label_codes(len(names)).bits == 8 else {}  # colours that go round have no names
    labels = known | {BIASED: "biased (removed)", IGNORED: "ignored"}
    seen = {int(value) for mask in overlay.masks.values() for value in np.unique(mask)}
    return labels | {value: str(value) for value in sorted(seen - labels.keys())}
