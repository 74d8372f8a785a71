"""Where a stage lies under ``runs/stages``, and whether it is finished."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamodules.files.tree import Tree
from mars_pl.pipeline.execution.fingerprint import Fingerprint, Fingerprints, split_of
from mars_pl.pipeline.settings.resolved import resolve
from mars_pl.pipeline.stage import Stage

RUNS = Path("runs")
STAGES = RUNS / "stages"
FACTS = "stage.json"
"""What a stage was made of, in its folder, for people and for the reasons of a plan."""

SECONDS = "seconds.json"


@dataclass(frozen=True)
class Place:
    """A stage's folder.

    Attributes:
        stage: what lies there.
        fingerprint: of it.
    """

    stage: Stage
    fingerprint: Fingerprint

    @property
    def folder(self) -> Path:
        """Return the folder of the finished stage."""
        name = "-".join((self.stage.name, *self.stage.choices, self.fingerprint.folder))
        return STAGES / re.sub(r"[^\w.-]+", "_", name)

    @property
    def part(self) -> Path:
        """Return the folder in which it is made."""
        return self.folder.with_name(f"{self.folder.name}.part")

    @property
    def finished(self) -> bool:
        """Tell whether it is made: the folder got its name."""
        return self.folder.is_dir()

    @property
    def begun(self) -> bool:
        """Tell whether it was begun and broken off, so that it goes on."""
        return self.part.is_dir()

    def missing(self, folder: Path) -> list[str]:
        """Return what the stage should have left in a folder and did not."""
        lacking = [name for name in self.stage.leaves if not (folder / name).exists()]
        if self.stage.each:
            ids = Tree(self.stage.root).ids(split_of(self.stage, resolve(self.stage.yamls, self.stage.options)))
            names = (self.stage.each.format(id=image_id) for image_id in ids)
            lacking += [name for name in names if not (folder / name).exists()]
        return lacking

    def reason(self) -> str:
        """Say why it is to be made: what differs from the likest finished one of the same stage."""
        if self.begun:
            return "was broken off; goes on"
        likest, differences = self._likest()
        if likest is None:
            return "was never made"
        shown = "; ".join(differences[:3]) + ("; …" if len(differences) > 3 else "")
        return f"{shown} (against {likest.name})" if shown else "what it reads is made anew"

    def _likest(self) -> tuple[Path | None, list[str]]:
        best: tuple[Path | None, list[str]] = (None, [])
        for path in sorted(STAGES.glob(f"{self.stage.name}-*/{FACTS}")):
            try:
                facts = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # a folder that a person changed is no reason to stop
            if facts.get("stage") != self.stage.name:
                continue
            found = differences(facts, json.loads(json.dumps(self.fingerprint.facts, default=str)))
            if best[0] is None or len(found) < len(best[1]):
                best = (path.parent, found)
        return best


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Return in words what differs between two trees of plain values."""
    if isinstance(before, dict) and isinstance(after, dict):
        found: list[str] = []
        for key in [*after, *(key for key in before if key not in after)]:
            if key not in ("command", "seconds"):
                found += differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
        return found
    return [] if before == after else [f"{_short(path)} is {_word(after)}, was {_word(before)}"]


def _short(path: str) -> str:
    return path.removeprefix("settings.").replace(".init_args", "")


def _word(value: Any) -> str:
    text = "not set" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


class Places:
    """Finds each stage's folder."""

    def __init__(self) -> None:
        self._fingerprints = Fingerprints()

    def of(self, stage: Stage) -> Place:
        """Return where a stage lies."""
        return Place(stage, self._fingerprints.of(stage))
