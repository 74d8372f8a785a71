"""What the shell may offer: commands with their own options, and of the choices `name=` and the values after it."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

from mars_pl.commands.run.words import RUN_WORDS
from mars_pl.commands.sweep.grid import SWEPT
from mars_pl.pipeline.choice_files import FILES, files_of
from mars_pl.pipeline.choices import NAMES, Choices
from mars_pl.pipeline.settings.configs import config_folder


def choice_words(prefix: str, **_: object) -> list[str]:
    """Return `name=` of all choices, or `name=value` once the name is typed."""
    name, sign, _value = prefix.partition("=")
    if not sign:
        return [f"{known}=" for known in (*NAMES, *RUN_WORDS)]
    return [f"{name}={value}" for value in values_of(name)]


def swept_words(prefix: str, **_: object) -> list[str]:
    """Return `name=` of all choices that a sweep goes over."""
    return [] if "=" in prefix else [f"{name}=" for name in SWEPT]


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


WORDS: Mapping[str, Callable[..., list[str]]] = {
    "run": choice_words,
    "recipe": choice_words,
    "weights": choice_words,
    "sweep": swept_words,
}
"""What is offered for the `words` of a command."""


def completing_parser(commands: Mapping[str, str], lightning: Sequence[str], typed: str) -> argparse.ArgumentParser:
    """Return a parser that only completes.

    Args:
        commands: module of each command that has a `parser` of its own; that of the typed one alone is imported.
        lightning: commands that take `-c`; one may be both.
        typed: the line so far.
    """
    parser = argparse.ArgumentParser(prog="mars")
    parsers = parser.add_subparsers()
    for name in sorted({*commands, *lightning}):
        known = name in commands and typed.split()[1:2] == [name]
        parents = [importlib.import_module(commands[name]).parser()] if known else []
        own = parsers.add_parser(name, parents=parents, add_help=False)
        if name in lightning:
            own.add_argument("-c", action="append").completer = config_words  # type: ignore[attr-defined]
        if name in WORDS:
            _complete_words(own, WORDS[name])
    return parser


def _complete_words(parser: argparse.ArgumentParser, words: Callable[..., list[str]]) -> None:
    """Have the argument `words` completed, in the parser or in those of its sub-commands."""
    for action in parser._actions:  # argparse has no public way to go over them
        if action.dest == "words":
            action.completer = words  # type: ignore[attr-defined]
        elif isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _complete_words(below, words)
