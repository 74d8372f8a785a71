"""The board of a run: a run in Weights & Biases for each stage once it is made, and one for the run as a whole."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from datamodules.files.whole_file import whole_file
from mars_pl.commands.data_choice import data_choice
from mars_pl.commands.run.board.data import data_counts
from mars_pl.commands.run.board.stages import stage_artifacts, stage_items
from mars_pl.commands.run.board.summary import run_items
from mars_pl.commands.run.board.watching import Watching
from mars_pl.dashboards.identity import Identity, Mode
from mars_pl.dashboards.session import log, log_files, opened
from mars_pl.dashboards.settings import tidy, versions
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.execution.fingerprint import file_sum
from mars_pl.pipeline.execution.places import RUNS, Place, Places
from mars_pl.pipeline.run_folder import MANIFEST, Run, run_name
from mars_pl.pipeline.settings.configs import find_config

RECORD = "wandb.json"
"""In the folder of a stage or a run: its id there, and whether it is logged."""

SWEEP = {"sweep_id": "WANDB_SWEEP_ID", "run_id": "WANDB_RUN_ID", "sweep_param_path": "WANDB_SWEEP_PARAM_PATH"}
"""What `wandb agent` says to a command; only the run as a whole is the sweep's point, not each stage."""


class Board(Watching):
    """Logs stages as they are made, and those that were finished before and never logged.

    A fit logs by itself while it goes on, and is told here who it is. Nothing that goes wrong here ends a stage.

    Args:
        mode: of logging.
        choices: of the runs.
        runs: which have stages in common; none where a single stage is made.
        places: of the stages.
        artifacts: labels and weights go there too.
    """

    def __init__(self, mode: Mode, choices: Choices, runs: Sequence[Run], places: Places, *, artifacts: bool) -> None:
        self.mode, self.choices, self.runs, self.places, self.artifacts = mode, choices, runs, places, artifacts
        self.sweep = {name: os.environ.pop(said) for name, said in SWEEP.items() if said in os.environ}
        self._groups = {places.of(stage).key: run.name for run in reversed(runs) for stage in run.every_stage()}
        self._alone = Lock()

    def environment(self, place: Place) -> dict[str, str]:
        """Tell a fit who it is; it goes on under the same id where it was broken off."""
        if place.stage.job != "fit":
            return {}
        record = _read(place.part) or {"id": _new_id(place)}
        _write(place.part, record | {"live": True})
        return self._identity(place, record["id"]).environment()

    def made(self, place: Place) -> None:
        """Log a finished stage, once."""
        with self._alone:
            record = _read(place.folder) or {"id": _new_id(place)}
            if record.get("logged"):
                return
            with self._harmless(place.folder.name):
                if not record.get("live"):
                    self._log_stage(place, record["id"])
                _write(place.folder, record | {"logged": True})

    def made_run(self, run: Run) -> None:
        """Log what only the run as a whole shows, again where its stages are others."""
        record, content = _read(run.folder), file_sum(run.folder / MANIFEST)
        if record and record.get("logged") == content and not self.sweep:
            return
        sweep, self.sweep = self.sweep, {}
        run_id = sweep.get("run_id") or (record or {}).get("id") or f"{run.name[-100:]}-{secrets.token_hex(3)}"
        identity = self._named(run_id, run.name, "run", f"{run.name} run", tuple(run.name.split("-")), {})
        with self._harmless(run.name), opened(identity, sweep) as there:
            log(there, run_items(run, self._names), self._names)
            _write(run.folder, {"id": run_id, "logged": content})
            files = run.folder / "wandb"
            sent = there.url if self.mode == "online" else f"{files}; `wandb sync {files}/offline-run-*` sends it"
            print(f"Weights & Biases: {sent}", flush=True)

    def _log_stage(self, place: Place, run_id: str) -> None:
        items = stage_items(place, self.places, self._names)
        files = stage_artifacts(place) if self.artifacts else {}
        if not items and not files:
            return
        with opened(self._identity(place, run_id)) as there:
            for step in items:
                log(there, step, self._names)
            for path, kind in files.items():
                log_files(there, f"{place.stage.name}-{path.stem}" if path.is_file() else place.stage.name, kind, path)

    def _identity(self, place: Place, run_id: str) -> Identity:
        stage = place.stage
        group = self._groups.get(place.key) or run_name(self.choices)
        row = stage.options["row"] if stage.job == "evaluate" else ""
        name = f"evaluate {row}" if row else " ".join([stage.name.replace("-", " "), *stage.choices[1:2]])
        seed = self.choices.seed if row else stage.seed
        config = {"stage": stage.name, "job": stage.job, "folder": str(place.folder), "seed": seed}
        config |= {"settings": tidy(place.fingerprint.facts["settings"])}
        job_type = "evaluate" if row else stage.name
        return self._named(run_id, group, job_type, f"{name} seed {seed}", stage.choices, config)

    def _named(
        self, run_id: str, group: str, job_type: str, name: str, tags: tuple[str, ...], config: dict[str, Any]
    ) -> Identity:
        folder = str((RUNS / group).absolute())
        return Identity(self.mode, folder, run_id, group, job_type, name, tags, self._common | config, self.artifacts)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return data_choice(str(find_config(f"data/{self.choices.data}")), self.choices.root)[0]

    @cached_property
    def _common(self) -> dict[str, Any]:
        chosen = {name: value for name, value in asdict(self.choices).items() if name != "options"}
        said = {"options": dict(self.choices.options)}
        about = {"choices": tidy(chosen), "versions": versions(), "data": data_counts(self.choices, self._names)}
        return about | said

    @contextmanager
    def _harmless(self, what: str) -> Iterator[None]:
        """Say what went wrong with a dashboard, and go on: the stage is made, and is logged next time."""
        try:
            yield
        except Exception as error:
            if os.environ.get("MARS_TRACEBACK"):
                raise
            why = " ".join(str(error).split())[:300] or type(error).__name__
            print(f"mars: {what} is made but not logged ({why}); the same command tries again", file=sys.stderr)


def _new_id(place: Place) -> str:
    return f"{place.key.name}-{secrets.token_hex(3)}"  # others may make the same stage for the same project


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("id"), str) else None


def _write(folder: Path, record: dict[str, Any]) -> None:
    with whole_file(folder / RECORD) as partial:
        partial.write_text(json.dumps(record), encoding="utf-8")
