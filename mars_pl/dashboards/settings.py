"""Settings and versions as a dashboard's tables sort by them: nested, without the ``init_args`` of classes."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Any

from mars_pl.version import BEHIND_FIGURES, CHECKOUT, installed_version, running_version


def tidy(value: Any) -> Any:
    """Return settings as a person names them: ``model.lr`` in place of ``model.init_args.lr``.

    A class becomes its settings with its name under ``class``; a list of classes becomes a table by name, since
    dashboards do not look into lists.
    """
    if isinstance(value, list | tuple):
        if value and all(isinstance(item, dict) and "class_path" in item for item in value):
            return {_class_name(item): tidy(item.get("init_args") or {}) for item in value}
        return [tidy(item) for item in value]
    if not isinstance(value, dict):
        return value if isinstance(value, str | int | float | bool | None) else str(value)
    if "class_path" in value:
        return {"class": _class_name(value), **tidy(value.get("init_args") or {})}
    return {str(key): tidy(item) for key, item in value.items()}


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python and of the libraries that figures depend on, and our commit."""
    found = {"mars-pl": running_version(), "python": platform.python_version()}
    found |= {name: number for name in BEHIND_FIGURES if (number := installed_version(name))}
    return found | ({"commit": commit} if (commit := _commit(CHECKOUT.parent)) else {})


def _class_name(item: dict[str, Any]) -> str:
    return str(item["class_path"]).rsplit(".", 1)[-1]


def _commit(folder: Path) -> str:
    """The commit of a checkout, ending in + where it was changed since; nothing of an installed package."""
    if not (folder / ".git").exists():
        return ""

    def git(*words: str) -> str:
        try:
            done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    commit = git("rev-parse", "--short=12", "HEAD")
    return commit + "+" * bool(commit and git("status", "--porcelain", "--untracked-files=no"))
