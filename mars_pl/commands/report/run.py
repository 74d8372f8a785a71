"""A run folder read back: its manifest, and the numbers of its stages merged into one `metrics.json`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callbacks.writing.candidates.table_file import CANDIDATES, OLD_CANDIDATES
from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES, CLASSES, folder_class_names
from mars_pl.commands.data_choice import data_choice
from mars_pl.commands.json_files import write_json
from mars_pl.commands.report.gap import Row, gap
from mars_pl.commands.report.selection import read_candidates
from mars_pl.commands.report.shapes import MANIFEST, METRICS, ROW, SECONDS, SELECTION, Shape, read_figures
from mars_pl.commands.row_names import row_name
from mars_pl.metrics.target_share import target_share
from mars_pl.pipeline.stages.debiasing import DEBIASED
from mars_pl.training.weight_files import MARS_WEIGHTS

Metrics = dict[str, Any]

STANDARD_ROWS = ("pseudo", "debiased", "complemented", "baseline", "final", "supervised")
ROW_FIELDS = (
    "split", "images", "miou", "fp", "fn", "fp_all", "fn_all", "companion", "kept", "refinement", "network",
    "per_class",
)  # fmt: skip
_ORDER = ("pseudo", "debiased", "complemented", "labels", "baseline", "complement", "mars", "final", "supervised")


@dataclass(frozen=True)
class Run:
    """One run folder and the manifest that `mars run` wrote into it."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The run's name: its folder's."""
        return self.folder.resolve().name

    @property
    def root(self) -> Path:
        """Where the images lie."""
        return Path(self.manifest.get("root", "data"))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes' names, background first; none where nobody names them.

        They are the manifest's, a known data set's, the data folder's, the rows', or those of the data's YAML.
        """
        known = self.manifest.get("classes") or CLASS_NAMES.get(str(self.manifest.get("data")))
        if known is None and (self.root / CLASSES).is_file():
            known = folder_class_names(self.root)
        scored = (list(row.get("per_class") or ()) for row in self.measured_rows().values())
        of_rows = next((names for names in scored if names[:1] == ["background"]), None)
        return tuple(known or of_rows or self._named_by_yaml())

    def stage(self, name: str) -> Path | None:
        """Return the folder of one stage, None where the run has not got it."""
        return self._folder(self.manifest.get("stages", {}).get(name))

    @property
    def debiased_stage(self) -> str:
        """Name of the stage that made the run's debiased labels."""
        return next((name for name in DEBIASED if self.stage(name) is not None), DEBIASED[-1])

    def stage_folders(self) -> dict[str, Path]:
        """Return the folder of every stage that is there, by its name in the run, in the manifest's order."""
        folders = {name: self.stage(name) for name in self.manifest.get("stages", {})}
        return {name: folder for name, folder in folders.items() if folder is not None}

    def labels(self, name: str) -> Path | None:
        """Return a label folder (pseudo, debiased, complemented, prediction, similarity), None where there is none."""
        return self._folder(self.manifest.get("labels", {}).get(name))

    def stage_file(self, stage: str, file: str) -> Path | None:
        """Return a file in a stage's folder, None where there is none."""
        folder = self.stage(stage)
        return folder / file if folder is not None and (folder / file).is_file() else None

    def stage_json(self, stage: str, file: str, shape: Shape) -> Any:
        """Return what a stage's JSON file of a shape holds, None where there is no such file."""
        path = self.stage_file(stage, file)
        return None if path is None else read_figures(path, shape)

    def candidates(self) -> Path | None:
        """Return the table of candidates, or its place where an earlier version wrote another; None without either."""
        there = (self.stage_file("debias-centroids", name) for name in (CANDIDATES, OLD_CANDIDATES))
        found = next((path for path in there if path is not None), None)
        return None if found is None else found.with_name(CANDIDATES)

    def measured_rows(self) -> dict[str, Row]:
        """Return the rows of this run by their names."""
        rows: dict[str, Row] = {}
        for name, entry in self.manifest.get("rows", {}).items():
            path = self._place(entry, Path.is_file)
            if path is not None:
                row = read_figures(path, ROW)
                row.pop("row", None)
                rows[name] = {field: row.get(field) for field in ROW_FIELDS} | row
        return rows

    def seconds(self) -> dict[str, float]:
        """Return how long each stage took, in the order of the stages."""
        paths = {name: folder / "seconds.json" for name, folder in self.stage_folders().items()}
        there = {name: path for name, path in paths.items() if path.is_file()}
        return {name: float(sum(read_figures(path, SECONDS).values())) for name, path in there.items()}

    def _named_by_yaml(self) -> tuple[str, ...]:
        try:
            return data_choice(str(self.manifest.get("data_yaml")), self.root)[0]
        except DataError:  # the run was brought here without it
            return ()

    def _folder(self, entry: str | None) -> Path | None:
        """A folder named from the run's, or one from elsewhere, as labels that another method made."""
        return self._place(entry, Path.is_dir) if entry else None

    def look_for_weights(self) -> None:
        """Let weights be looked for where the run found them, where the environment names no place."""
        if self.manifest.get("weights"):
            os.environ.setdefault(MARS_WEIGHTS, self.manifest["weights"])

    def _place(self, entry: str, is_there: Callable[[Path], bool]) -> Path | None:
        try:
            return next((path for path in (self.folder / entry, Path(entry)) if is_there(path)), None)
        except OSError:  # a name that no file can have
            return None


def open_run(argument: str) -> Run:
    """Open a run by its path or by its name under `runs/`.

    Raises:
        DataError: where there is no `run.json`, or it cannot be read.
    """
    for folder in (Path(argument), Path("runs") / argument):
        if (folder / "run.json").is_file():
            return Run(folder, read_figures(folder / "run.json", MANIFEST, "`mars run mars …` writes this file again"))
    known = sorted(path.parent.name for path in Path("runs").glob("*/run.json"))
    there = f"there are: {', '.join(known)}" if known else "there are none yet, `mars run demo` makes one"
    raise DataError(f"{argument}: no run.json in it; name a run's folder or a run under runs/ ({there})")


def read_metrics(name: str) -> tuple[Path, Metrics]:
    """Return a run's folder and its numbers as its stages stand now.

    Where only `metrics.json` came from another machine, it is taken as it is.

    Raises:
        DataError: as `open_run` does.
    """
    alone = Path(name) / "metrics.json"
    if alone.is_file() and not (Path(name) / "run.json").is_file():
        return alone.parent, read_figures(alone, METRICS, "copy it again, or run `mars report` where it comes from")
    run = open_run(name)
    return run.folder, merge(run)


def merge(run: Run) -> Metrics:
    """Merge the numbers of all stages into the layout of `metrics.json`.

    A standard row that was not measured is None, and so is each number that a row has not got.
    """
    found = run.measured_rows()
    rows = {name: found.get(name) for name in sorted({*STANDARD_ROWS, *found}, key=_place)}
    return {
        "data": run.manifest.get("data"),
        "seed": run.manifest.get("seed"),
        "choices": run.manifest.get("choices"),
        "rows": rows,
        "selection": _selection(run, rows),
        "gap": gap(rows),
        "seconds": run.seconds(),
    }


def _selection(run: Run, rows: Mapping[str, Row | None]) -> dict[str, Any]:
    """What the debias stage wrote, and the target share over the classes that are known to have a companion."""
    selection: dict[str, Any] = {"target_share": None, "target_share_before": None, "candidates": None}
    selection |= run.stage_json("debias-centroids", "selection.json", SELECTION) or {}
    per_class = (rows["pseudo"] or {}).get("per_class") or {}
    accompanied = {name for name, figures in per_class.items() if (figures or {}).get("companion") is not None}
    table = run.candidates()
    if table is not None and accompanied and selection["target_share"] is not None:
        candidates = read_candidates(table)
        own = [name in accompanied for name in candidates.class_names]
        for key, counts in zip(("target_share_before", "target_share"), candidates.counts(), strict=True):
            shares = dict(selection[key] or {})
            selection[key] = {
                "all": shares.pop("all", None),
                "companion": target_share(counts[own].sum(0)),
            } | shares
    return selection


def write_metrics(run: Run, metrics: Metrics) -> Path:
    """Write `metrics.json` into the run folder."""
    path = run.folder / "metrics.json"
    write_json(path, metrics)
    return path


def _place(name: str) -> tuple[int, str, int, int]:
    row = row_name(name)
    stem = re.split("[-_]", row.plain, maxsplit=1)[0]
    first = _ORDER.index(stem) if stem in _ORDER else len(_ORDER)
    return first, row.plain, row.number, -1 if row.seed is None else row.seed
