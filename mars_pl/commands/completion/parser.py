"""What the shell may offer: commands, targets and stages, `name=` of each choice, and its values after it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import fields

from mars_pl.commands.run.words import RUN_WORDS, STAGES, TARGETS
from mars_pl.pipeline.choice_files import FILES, files_of
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.settings.configs import config_folder

LIGHTNING = ("fit", "validate", "test", "predict")
WORDS = {"run": (*TARGETS, *STAGES), "recipe": ()}
"""Commands that take choices, and what stands before them."""

FIRST = {
    "data": ("voc", "coco", "folder"),
    "check": ("data", "labels", "archive"),
    "weights": ("import",),
    "labels": ("import", "export"),
    "completion": ("bash", "zsh", "fish", "tcsh", "powershell"),
}
"""Commands whose first word is one of a few."""


def choice_words(prefix: str, **_: object) -> list[str]:
    """Return `name=` of all choices, or `name=value` once the name is typed."""
    name, sign, _value = prefix.partition("=")
    if not sign:
        return [f"{known}=" for known in (*(field.name for field in fields(Choices)), *RUN_WORDS)]
    return [f"{name}={value}" for value in values_of(name)]


def values_of(name: str) -> Sequence[str]:
    """Return what a choice may be, empty where it is a number or a place."""
    kinds = {field.name: field.type for field in fields(Choices)}
    if name in FILES:
        return files_of(name)
    if name == "wandb":
        return ("off", "offline", "online")
    return ("true", "false") if kinds.get(name) == "bool" else ()


def config_words(**_: object) -> list[str]:
    """Return the shipped YAMLs by the names that `-c` takes."""
    return sorted(str(path.relative_to(config_folder()).with_suffix("")) for path in config_folder().rglob("*.yaml"))


def completing_parser(commands: Iterable[str]) -> argparse.ArgumentParser:
    """Return a parser that only completes.

    Args:
        commands: all words that may follow `mars`.
    """
    parser = argparse.ArgumentParser(prog="mars")
    parsers = parser.add_subparsers()
    for command in sorted({*commands, *LIGHTNING}):
        own = parsers.add_parser(command, add_help=False)
        if command in WORDS:
            words = own.add_argument("words", nargs="*")
            words.completer = lambda before=WORDS[command], **told: [*before, *choice_words(**told)]  # type: ignore[attr-defined]
            own.add_argument("-n", action="store_true")
        elif command in LIGHTNING:
            own.add_argument("-c", action="append").completer = config_words  # type: ignore[attr-defined]
        else:
            if command in FIRST:
                own.add_argument("first", choices=FIRST[command])
            own.add_argument("paths", nargs="*")
    return parser
