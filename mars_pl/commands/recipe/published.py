"""The published recipes of `published.yaml`, and what differs from them, with the reason that is given there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mars_pl.commands.recipe.planned import Recipe
from mars_pl.pipeline.fit_length import length
from mars_pl.pipeline.settings.configs import OWN, config_folder
from mars_pl.pipeline.settings.resolved import Settings
from mars_pl.pipeline.settings.settings_file import read_settings

FILE = Path(__file__).with_name("published.yaml")

MERGED = ("rows", "deviations")
"""Parts of an entry of which one that is ``like`` it says only what differs."""

LENGTH = ("steps", "epochs")


class Published(NamedTuple):
    """A published recipe beside a planned one.

    Attributes:
        name: of the YAML whose recipe it is.
        source: repository and files, or section of a paper.
        rows: value by name, as those of `Recipe`.
        training_set: likewise.
        deviations: reason by the name of a row that may differ.
        notes: what a person should know.
    """

    name: str
    source: str
    rows: Settings
    training_set: Settings
    deviations: Mapping[str, str]
    notes: tuple[str, ...]


class PublishedRecipes:
    """What `published.yaml` says.

    Attributes:
        images: number of images of each data set's lists.
    """

    def __init__(self) -> None:
        held = read_settings(FILE)
        self.images: Mapping[str, Mapping[str, int]] = held["images"]
        self._always: Mapping[str, str] = held["deviations"]
        self._entries: Mapping[str, Settings] = held["recipes"]

    def beside(self, recipe: Recipe, data: str) -> Published | None:
        """Return the recipe that was published for a fit: that of the last of its YAMLs that has one.

        Args:
            recipe: planned.
            data: name of the data set; one without published lists has no published recipes.
        """
        names = [name for name in map(_config_name, recipe.stages[0].yamls) if name in self._entries]
        if data not in self.images or not names:
            return None
        entry = self._entry(names[-1])
        rows: Settings = {}
        if "batch" in entry:
            count = self.images[data].get(recipe.split)
            items = None if count is None else count * recipe.views
            steps, epochs = length(entry.get("epochs"), entry.get("steps"), items, entry["batch"])
            rows = {"steps": steps, "epochs": epochs, "batch": entry["batch"]}
            rows |= {f"lr {group}": rate for group, rate in entry["lr"].items()} | entry["rows"]
        notes = tuple(entry.get("notes", ()))
        if data not in entry.get("for", [data]):
            notes += (f"published for {' and '.join(entry['for'])}, not for {data}",)
        reasons = {**self._always, **entry.get("deviations", {})}
        return Published(names[-1], entry["source"], rows, entry.get("training_set", {}), reasons, notes)

    def _entry(self, name: str) -> Settings:
        """An entry with what it has from the one that it is ``like``."""
        own = self._entries[name]
        if "like" not in own:
            return own
        base = {
            key: value for key, value in self._entry(own["like"]).items() if key not in LENGTH or not {*LENGTH} & {*own}
        }
        return {**base, **own, **{part: {**base.get(part, {}), **own.get(part, {})} for part in MERGED}}


def differences(recipe: Recipe, published: Published) -> list[str]:
    """Return the names of what differs from what is published.

    What nobody published does not differ, nor does a length that cannot be told without the images.
    """
    ours = {**recipe.rows, **recipe.training_set}
    said = {**published.rows, **published.training_set}
    unknown = {name for name in LENGTH if ours[name] is None or said.get(name) is None}
    return [name for name, value in said.items() if name not in unknown and not _same(ours.get(name), value)]


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, int | float) and isinstance(second, int | float):
        return math.isclose(first, second, rel_tol=1e-9)
    return bool(first == second)


def _config_name(path: Path) -> str:
    """The name of a YAML among the shipped ones or a person's own, ``wsss/cam``; its path where it is neither."""
    for folder in (config_folder(), OWN.resolve()):
        if path.resolve().is_relative_to(folder.resolve()):
            return str(path.resolve().relative_to(folder.resolve()).with_suffix(""))
    return str(path)
