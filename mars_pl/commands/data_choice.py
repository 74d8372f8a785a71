"""Which classes a data set has and which of them are scored, for commands that do not start Lightning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES, folder_class_names
from datamodules.files.image_labels import LabelSource, open_image_labels
from datamodules.prepare.folder import prepare_folder
from mars_pl.pipeline.settings.resolved import class_name
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.pipeline.settings.yamls import shipped

KINDS = (*sorted(CLASS_NAMES), "folder")
"""Data sets that a name alone tells."""


def data_choice(choice: str, root: Path | None = None) -> tuple[tuple[str, ...], Sequence[str] | None]:
    """Read class names and scored classes of a data set.

    Args:
        choice: see `data_settings`; the YAML of a folder of one's own leaves the class names to the folder.
        root: the data folder, where it is another than the YAML says.

    Returns:
        The class names, background first, and the names the means are taken over; None for all.

    Raises:
        DataError: where there is no such set or file, or the YAML names no classes.
    """
    kind, options = data_settings(choice)
    if kind == "folder":
        return folder_class_names(root or Path(options.get("root", "."))), options.get("scored_classes")
    names = options.get("class_names", CLASS_NAMES.get(kind))
    if names is None:
        raise DataError(f"{choice}: names no class_names and no data set we know; add data.init_args.class_names")
    return tuple(names), options.get("scored_classes")


def image_label_source(choice: str, root: Path, class_names: Sequence[str]) -> LabelSource | None:
    """Return what reads the image labels of a data set; a folder of one's own is prepared.

    Raises:
        DataError: where there are none, or they are at fault.
    """
    kind, options = data_settings(choice)
    if kind == "folder":
        prepare_folder(root)
    return open_image_labels(root, class_names, options.get("image_labels", "auto"))


def data_settings(choice: str) -> tuple[str, dict[str, Any]]:
    """Return which kind of data set is meant, by the name of its class in small letters, and its settings.

    Args:
        choice: a name (``voc``, ``coco``, ``scenes``, ``folder``, or of a YAML in ``configs/data``), or a data YAML.

    Raises:
        DataError: where there is neither such a set nor such a file, or the file is no configuration.
    """
    if choice in KINDS:
        return choice, {}
    path = next(iter(shipped(f"data/{choice}")), Path(choice))
    if not path.is_file():
        raise DataError(f"--data {choice}: neither a file nor one of {', '.join(KINDS)}; name a data YAML")
    kind = class_name(read_settings(path, "data")).lower()
    return kind, read_settings(path, "data", "init_args")
