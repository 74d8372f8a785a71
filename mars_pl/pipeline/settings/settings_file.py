"""Configuration YAMLs, read for what a command has to know before, or without, LightningCLI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from datamodules.errors import DataError
from datamodules.unpickle.yaml_text import read_yaml_text


def read_settings(path: Path, *keys: str) -> dict[str, Any]:
    """Read the mapping that a YAML holds under keys, one within the other; empty where there is nothing.

    Raises:
        DataError: where the file is no YAML, or what is there is no mapping.
    """
    try:
        held = read_yaml_text(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is no YAML ({' '.join(str(error).split())}); mend it there") from None
    for depth in range(len(keys) + 1):
        held = {} if held is None else held
        if not isinstance(held, dict):
            where = f" under {'.'.join(keys[:depth])}" if depth else ""
            raise DataError(f"{path}: holds no settings{where}; write names with their values, `name: value`")
        if depth < len(keys):
            held = held.get(keys[depth])
    return held
