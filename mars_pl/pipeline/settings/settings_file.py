"""Configuration YAMLs, read for what a command has to know before, or without, LightningCLI."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from datamodules.errors import DataError
from datamodules.unpickle.bounds import DEEPEST, check_plain


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's, in C where that was built; ``1e-3`` is a number as for LightningCLI, and not a word."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_value(text: str) -> Any:
    """Read a value as YAML.

    Raises:
        yaml.YAMLError: where it is none.
    """
    try:
        _check_depth(text)
        value = yaml.load(text, Loader=_Loader)
        check_plain(value)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:  # a 13th month, a name that repeats itself
        raise yaml.YAMLError(" ".join(str(error).split())[:200] or type(error).__name__) from None
    return value


def _check_depth(text: str) -> None:
    """Refuse what is nested too deep by its events, for PyYAML's reader in C overflows the stack there."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} deep")


def read_settings(path: Path, *keys: str) -> dict[str, Any]:
    """Read the mapping that a YAML holds under keys, one within the other; empty where there is nothing.

    Raises:
        DataError: where the file is no YAML, or what is there is no mapping.
    """
    try:
        held = read_value(path.read_text(encoding="utf-8"))
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
