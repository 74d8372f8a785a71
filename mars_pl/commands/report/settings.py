"""What a run was told: its choices, the files of its stages, and the versions that made the page."""

from __future__ import annotations

import platform
from typing import Any

from mars_pl.commands.report.run import Run
from mars_pl.version import BEHIND_FIGURES, installed_version, running_version

_LARGEST_FILE = 200_000

_PACKAGES = (*BEHIND_FIGURES, "scikit-learn", "pydensecrf2", "pillow")


def versions() -> list[tuple[str, str]]:
    """Return the versions of the package and of what its figures stand on, where the page is written."""
    found = [("mars-pl", running_version()), ("python", platform.python_version())]
    return found + [(name, installed_version(name) or "not installed") for name in _PACKAGES]


def stage_files(run: Run) -> list[tuple[str, str]]:
    """Return what each stage was told, its command and its configuration as run."""
    files = ("stage.json", "fit.yaml", "predict.yaml")
    paths = {f"{name}/{file}": folder / file for name, folder in run.stage_folders().items() for file in files}
    small = {name: path for name, path in paths.items() if path.is_file() and path.stat().st_size < _LARGEST_FILE}
    return [(name, path.read_text(encoding="utf-8", errors="replace")) for name, path in small.items()]


def choices(run: Run) -> list[tuple[str, str]]:
    """Return what was chosen, each choice once, and the folders of the stages."""
    told = {key: run.manifest.get(key) for key in ("data", "seed")} | (run.manifest.get("choices") or {})
    lines = [(name, _said(value)) for name, value in told.items() if value not in (None, "", [], {})]
    return lines + [(name, folder.name) for name, folder in run.stage_folders().items()]


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={item}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
