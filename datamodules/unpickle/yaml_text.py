"""YAML of anybody's, within bounds."""

from __future__ import annotations

import re
from typing import Any

import yaml

from datamodules.unpickle.bounds import DEEPEST, check_plain


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's, in C where that was built; ``1e-3`` is a number as for LightningCLI, and not a word."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_yaml_text(text: str) -> Any:
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
