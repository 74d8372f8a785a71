"""Which classes a data set has and which of them are scored, for commands that do not start Lightning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from datamodules.class_names import CLASS_NAMES
from datamodules.errors import DataError


def data_choice(choice: str) -> tuple[tuple[str, ...], Sequence[str] | None]:
    """Read class names and scored classes of a data set.

    Args:
        choice: ``scenes``, ``voc`` or the data YAML of a run (``configs/data/….yaml``), whose data class names the set.

    Returns:
        The class names, background first, and the names the means are taken over; None for all.

    Raises:
        DataError: where there is no such set or file, or the YAML names no classes.
    """
    if choice in CLASS_NAMES:
        return CLASS_NAMES[choice], None
    path = Path(choice)
    if not path.is_file():
        raise DataError(
            f"--data {choice}: neither a file nor one of {', '.join(sorted(CLASS_NAMES))}; name a data YAML"
        )
    data: dict[str, Any] = (yaml.safe_load(path.read_text()) or {}).get("data", {})
    options: dict[str, Any] = data.get("init_args", {})
    known = CLASS_NAMES.get(str(data.get("class_path", "")).rsplit(".", 1)[-1].lower())
    names = options.get("class_names", known)
    if names is None:
        raise DataError(f"{path}: names no class_names and no data set we know; add data.init_args.class_names")
    return tuple(names), options.get("scored_classes")
