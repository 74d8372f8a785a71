"""Fingerprints: a stage is known by its settings, its version and what it reads. No time of making is in them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamodules.files.image_labels import ANNOTATIONS, TABLES, found_source
from datamodules.files.shards.place import File, file_size
from datamodules.files.tree import FIT_SPLIT, PREDICT_SPLIT, Tree
from mars_pl.pipeline.settings.resolved import Settings, init_args, is_yaml, leaves, resolve, without_harmless
from mars_pl.pipeline.stage import Stage
from mars_pl.training.weight_files import find_weights_file

DIGITS = 12
WEIGHTS = ("weights", "classifier_weights")
"""Settings that name a file of weights."""


@dataclass(frozen=True)
class Fingerprint:
    """What a stage is known by.

    Attributes:
        folder: of all that changes what its folder holds.
        results: of what changes what later stages read; truth, which only measures, is not in it.
        facts: what both were made of, for people.
    """

    folder: str
    results: str
    facts: dict[str, Any]


class Fingerprints:
    """Takes each stage's fingerprint once, and looks at each place once."""

    def __init__(self) -> None:
        self._stages: dict[Stage, Fingerprint] = {}
        self._places: dict[tuple[str, ...], Any] = {}

    def of(self, stage: Stage) -> Fingerprint:
        """Return a stage's fingerprint."""
        if stage not in self._stages:
            self._stages[stage] = self._taken(stage)
        return self._stages[stage]

    def _taken(self, stage: Stage) -> Fingerprint:
        # Places from outside are known by what they hold, wherever they lie: they are inputs and no settings.
        outside = {
            name: value for name, value in stage.options.items() if isinstance(value, Path) and not is_yaml(value)
        }
        said = {name: value for name, value in stage.options.items() if name not in outside}
        settings = without_harmless(resolve(stage.yamls, said))
        inputs: dict[str, Any] = {name: self._place(path) for name, path in outside.items()}
        for before in dict.fromkeys(stage.inputs()):
            inputs[before.name] = [*inputs.get(before.name, []), self.of(before).results]
        split = split_of(stage, settings)
        facts = {
            "stage": stage.name,
            "job": stage.job,
            "version": stage.version,
            "seed": stage.seed,
            "settings": settings,
            "inputs": inputs,
            "data": self._split(stage.root, split, _label_source(stage, settings)),
            "weights": {
                name: self._weights(name, value) for name, value in leaves(settings) if is_weights(name, value)
            },
        }
        results = _sum(facts)
        truth = [self._place(path) for path in stage.measures]
        return Fingerprint(_sum([results, truth]), results, facts | {"truth": truth})

    def _split(self, root: Path, split: str, labels: str) -> Any:
        return self._once(("split", str(root), split, labels), lambda: _split_facts(root, split, labels))

    def _place(self, path: Path) -> Any:
        return self._once(("place", str(path)), lambda: _place_facts(path))

    def _weights(self, name: str, value: str) -> Any:
        return self._once(("weights", value), lambda: file_sum(find_weights_file(value)))

    def _once(self, key: tuple[str, ...], look: Any) -> Any:
        if key not in self._places:
            self._places[key] = look()
        return self._places[key]


def split_of(stage: Stage, settings: Settings) -> str:
    """Return the list that a stage reads."""
    if stage.job == "evaluate":
        return str(stage.options["split"])
    name, otherwise = ("fit_split", FIT_SPLIT) if stage.job == "fit" else ("predict_split", PREDICT_SPLIT)
    return str(init_args(settings.get("data")).get(name, otherwise))


def file_sum(path: Path | None) -> str:
    """Return the sum of a file's content; of one that is missing, a word."""
    if path is None or not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def listing_sum(files: Iterable[File], *, times: bool) -> list[Any]:
    """Return how many files there are and the sum of their names and sizes, and times where sizes say too little.

    Files in shards have the sum that they have in a folder; times are asked of a folder's alone.
    """
    seen: list[list[Any]] = []
    for path in files:
        if (size := file_size(path)) is not None:
            seen.append([path.name, size, *([Path(str(path)).stat().st_mtime_ns] if times else [])])
    return [len(seen), _sum(sorted(seen))]


def _split_facts(root: Path, split: str, labels: str) -> dict[str, Any]:
    """A list by its content, its images by names and sizes, image labels by content (XML: by sizes and times)."""
    tree = Tree(root)
    if not tree.list_file(split).is_file():
        return {"list": "missing"}
    ids = tree.ids(split)
    facts: dict[str, Any] = {
        "list": _sum(list(ids)),
        "images": listing_sum((tree.image(name) for name in ids), times=False),
    }
    if labels == "auto":
        labels = found_source(root)
    if labels in TABLES:
        facts["image labels"] = file_sum(root / TABLES[labels])
    elif labels == "xml":
        facts["image labels"] = listing_sum((root / ANNOTATIONS / f"{name}.xml" for name in ids), times=True)
    return facts


def _place_facts(path: Path) -> Any:
    if path.is_dir():
        files = [Path(entry.path) for entry in os.scandir(path) if entry.is_file() and not entry.name.startswith(".")]
        return listing_sum(files, times=True)
    return file_sum(path)


def _label_source(stage: Stage, settings: Settings) -> str:
    """Where a stage has its image labels from; a row reads none."""
    return "none" if stage.job == "evaluate" else str(init_args(settings.get("data")).get("image_labels", "auto"))


def is_weights(name: str, value: Any) -> bool:
    """Tell whether a setting names a file of weights from outside."""
    return name.rsplit(".", 1)[-1] in WEIGHTS and isinstance(value, str)


def _sum(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
