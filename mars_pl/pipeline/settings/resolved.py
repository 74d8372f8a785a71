"""What a stage's YAMLs and options come to, as one tree of plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from datamodules.unpickle.yaml_text import read_yaml_text
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.pipeline.stage import Output, Value, setting

Settings = dict[str, Any]

HARMLESS = frozenset({"workers", "root", "default_root_dir", "enable_progress_bar", "logger", "log_every_n_steps"})
"""Settings that change no result, whatever class they belong to: they are no part of a fingerprint."""


def resolve(yamls: Sequence[Path], options: Mapping[str, Value]) -> Settings:
    """Merge YAMLs and options as LightningCLI does: the later wins, a list's items inherit.

    Where a later file names another class, LightningCLI keeps those settings of the former that the new class takes.
    Which these are only the classes know, so all are kept here: a setting too many can make a stage again for nothing,
    one too few could take a wrong one for finished.

    Raises:
        DataError: where a file is no YAML.
    """
    settings: Settings = {}
    for path in yamls:
        _merge(settings, read_settings(path))
    for name, value in options.items():
        *parents, last = setting(name).split(".")
        _merge(settings, _nested(parents, {last: _plain(value)}))
    return settings


def init_args(node: Any) -> Settings:
    """Return the settings of a class, of `settings["data"]` say; none where it is not there."""
    found: Settings = (node or {}).get("init_args") or {}
    return found


def class_name(node: Any) -> str:
    """Return the name of the class without its modules; empty where no class is named."""
    return str((node or {}).get("class_path", "")).rpartition(".")[2]


def is_yaml(value: Value) -> bool:
    """Tell whether an option names a configuration, which stands for the settings in it."""
    return isinstance(value, Path) and value.suffix == ".yaml" and value.is_file()


def without_harmless(value: Any) -> Any:
    """Leave out what changes no result."""
    if isinstance(value, dict):
        return {key: without_harmless(item) for key, item in value.items() if key not in HARMLESS}
    return [without_harmless(item) for item in value] if isinstance(value, list) else value


def leaves(settings: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value that is no mapping by its dotted name."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, settings


def _merge(into: Settings, over: Mapping[str, Any]) -> None:
    for name, value in over.items():
        key, appended = str(name).removesuffix("+"), str(name).endswith("+")
        if appended:
            into[key] = [*(into.get(key) or []), *(value if isinstance(value, list) else [value])]
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        elif isinstance(value, list) and isinstance(into.get(key), list):
            into[key] = [_inherited(item, into[key]) for item in value]
        else:
            into[key] = _copied(value)


def _inherited(item: Any, before: Sequence[Any]) -> Any:
    """An item of a list, with what the former list said of its class."""
    copy = _copied(item)
    if not isinstance(copy, dict) or "class_path" not in copy:
        return copy
    same = (old for old in before if isinstance(old, dict) and old.get("class_path") == copy["class_path"])
    merged = _copied(next(same, {}))
    _merge(merged, copy)
    return merged


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        copy: Settings = {}
        _merge(copy, value)
        return copy
    return list(value) if isinstance(value, list) else value


def _nested(parents: Sequence[str], value: Settings) -> Settings:
    for name in reversed(parents):
        value = {name: value}
    return value


def _plain(value: Value) -> Any:
    """A YAML's content in place of its path; what a person typed as YAML reads it, or else as it stands."""
    if isinstance(value, Output):
        return {"stage": value.stage.name, "output": value.path}
    if isinstance(value, Path):
        return read_settings(value) if is_yaml(value) else str(value)
    if isinstance(value, str):
        try:
            return read_yaml_text(value)
        except yaml.YAMLError:
            return value
    return value
