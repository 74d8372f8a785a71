"""``runs/<RUN>``: what a person opens. Links to the run's stages, and ``run.json``, from which the report is made."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from mars_pl.pipeline.choices import NAMES, Choices, read_choices
from mars_pl.pipeline.execution.places import RUNS, Places, safe_name
from mars_pl.pipeline.settings.configs import find_config
from mars_pl.pipeline.stage import Output, Stage, Value, with_inputs
from mars_pl.pipeline.stages.pipeline import Pipeline
from mars_pl.training.weight_files import MARS_WEIGHTS

MANIFEST = "run.json"

TOLD = re.compile(r"(round|segmenter)\d+")
"""What the choices of a stage hold that belongs to a later round, or to another seed of the segmenter."""


@dataclass
class Run:
    """A named selection of stages.

    Attributes:
        name: of its folder under ``runs``.
        pipeline: of its choices.
        stages: by what they are in this run, ``debias-labels`` or ``baseline-segment``.
        rows: what is scored, by the row's name.
    """

    name: str
    pipeline: Pipeline
    stages: dict[str, Stage] = field(default_factory=dict)
    rows: dict[str, Stage] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Return the run's folder."""
        return RUNS / self.name

    def every_stage(self) -> list[Stage]:
        """Return all that has to be made for this run, inputs first."""
        return with_inputs([*self.stages.values(), *self.rows.values()])

    def manifest(self, places: Places) -> dict[str, Any]:
        """Return what the report has to know: choices, folders of stages and labels, rows."""
        c = self.pipeline.choices
        complemented = self.pipeline.complemented(self.pipeline.training(c.train))
        labels: dict[str, Value] = {
            "pseudo": self.pipeline.pseudo,
            "debiased": self.pipeline.debiased / "",
            "similarity": self.pipeline.debiased / "similarity",
            "complemented": complemented / "",
            "prediction": complemented / "prediction",
        }
        folders = {name: self._from_here(places.of(stage).folder) for name, stage in self._named(places).items()}
        return {
            "data": c.data,
            "data_yaml": str(find_config(f"data/{c.data}")),
            "seed": c.seed,
            "root": c.data_root,
            "weights": os.environ.get(MARS_WEIGHTS),
            "split": c.train_split,
            "network_split": c.network_split,
            "choices": _choices(c),
            "rows": {name: self._from_here(places.of(stage).folder / "row.json") for name, stage in self.rows.items()},
            "stages": folders,
            "labels": {name: self._where(value, places) for name, value in labels.items()},
        }

    def write(self, places: Places) -> bool:
        """Write run.json and the links; tell whether the report is to be made (again)."""
        text = json.dumps(self.manifest(places), indent=1, ensure_ascii=False) + "\n"
        path = self.folder / MANIFEST
        same = path.is_file() and path.read_text(encoding="utf-8") == text
        if not same:
            with whole_file(path) as partial:
                partial.write_text(text, encoding="utf-8")
        self._link(places)
        return not (same and (self.folder / "metrics.json").is_file())

    def _named(self, places: Places) -> dict[str, Stage]:
        """Every stage by a name of its own in this run; what several of its pipelines share, once."""
        own = {places.of(stage).key: name for name, stage in reversed(self.stages.items())}
        named: dict[str, Stage] = {}
        for stage in places.each_once(self.every_stage()):
            if stage.job != "evaluate":
                name = own.get(places.of(stage).key, stage.name)
                whole = "-".join([name, stage.choices[1], *filter(TOLD.fullmatch, stage.choices)])
                named[name if name not in named else whole] = stage
        return named

    def _from_here(self, path: Path) -> str:
        """A path from the run's folder, so that ``runs`` can be moved as a whole."""
        return os.path.relpath(path, self.folder)

    def _where(self, value: Value, places: Places) -> str:
        if isinstance(value, Output):
            return self._from_here(places.of(value.stage).folder / value.path)
        return str(value)

    def _link(self, places: Places) -> None:
        """One link a stage; those of an earlier selection go."""
        wanted = {name: self._from_here(places.of(stage).folder) for name, stage in self._named(places).items()}
        for path in self.folder.iterdir():
            if path.is_symlink() and wanted.get(path.name) != str(path.readlink()):
                path.unlink()
        for name, target in wanted.items():
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(target, target_is_directory=True)


BARE = ("size", "wsss", "uss", "backbone", "centroids", "segmenter", "train", "encoder", "trainer")
"""Choices whose value says by itself what it is."""

PLACES = ("data_root", "labels", "truth", "truth_aug", "companion")
"""Choices that are folders."""


def run_name(choices: Choices) -> str:
    """Return a run's name where a person gave none: the data set, and whatever was chosen otherwise than it does."""
    parts = [_part(name, value) for name, value in chosen_otherwise(choices).items()]
    parts += [f"{name}_{value}" for name, value in sorted(choices.options.items())]
    parts += [f"seed{choices.seed}"] * (choices.seed != 0)
    parts += [f"segmenter{choices.segment_seed}"] * (choices.segment_seed != choices.seed)
    return safe_name("-".join([choices.data, *parts]))


def chosen_otherwise(choices: Choices) -> dict[str, Any]:
    """Return the choices that the data set would not have made, but for seeds, further trainings and options."""
    plain = read_choices({"data": choices.data}, {})
    chosen = {name: getattr(choices, name) for name in ("data", "data_root", "size", "uss")}
    alike = read_choices(chosen, {})
    usual = asdict(replace(alike, data_root=plain.data_root, size=plain.size, uss=plain.uss))
    return {
        name: value
        for name, value in asdict(choices).items()
        if value != usual[name] and name not in ("data", "also", "seed", "segment_seed", "options")
    }


def _part(name: str, value: Any) -> str:
    if name in PLACES:  # the whole path, since folders in two places may have the same name
        value = "_".join(Path(os.path.relpath(value)).parts)
    return str(value) if name in BARE else f"{name}_{value}" if isinstance(value, str) else f"{name}{value}"


def choices_of(manifest: Mapping[str, Any]) -> Choices:
    """Return the choices that a ``run.json`` tells; what an earlier version did not know is as it was then.

    Raises:
        DataError: where they are none that this version knows.
    """
    told = manifest.get("choices") or {}
    strange = next((name for name in told if name not in (*NAMES, "options")), None)
    if strange or not told:
        why = f"no choice has the name {strange}" if strange else "it tells no choices"
        raise DataError(f"{MANIFEST}: {why}; `mars run mars …` writes it again")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Choices(**values)


def _choices(choices: Choices) -> Mapping[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(choices).items()}
