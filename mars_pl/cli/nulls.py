"""``null`` for a setting of a class within a class: the parser would make the word ``None`` of it.

jsonargparse reads such a value, and then writes it into a command line for the class within: ``--tokens=None``, a text.
What holds a null goes in as a configuration at the same place, where it stays what it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from datamodules.unpickle.yaml_text import read_yaml_text


def with_nulls(args: Sequence[str]) -> list[str]:
    """Return the words with each option of a class that holds a null as ``--config {…}``.

    Args:
        args: ``--data.init_args.training_set.init_args.tokens null``, or with an equals sign.
    """
    words: list[str] = []
    left = iter(args)
    for word in left:
        flag, equals, value = word.partition("=")
        if not (flag.startswith("--") and ".init_args." in flag) or flag.endswith("+"):
            words.append(word)
            continue
        given = value if equals else next(left, None)
        if given is not None and _holds_null(given):
            words += ["--config", _configuration(flag.removeprefix("--"), given)]
        else:
            words += [word] if equals or given is None else [word, given]
    return words


def _holds_null(text: str) -> bool:
    try:
        return bool(text.strip()) and _null_within(read_yaml_text(text))
    except yaml.YAMLError:
        return False


def _null_within(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(_null_within(item) for item in (value.values() if isinstance(value, dict) else value))
    return value is None


def _configuration(name: str, text: str) -> str:
    settings = read_yaml_text(text)
    for part in reversed(name.split(".")):
        settings = {part: settings}
    return json.dumps(settings)
