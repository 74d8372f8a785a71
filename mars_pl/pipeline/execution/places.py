"""Where a stage lies under ``runs/stages``, and whether it is finished."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamodules.files.shards.place import place
from datamodules.files.tree import Tree
from mars_pl.pipeline.execution.fingerprint import Fingerprint, Fingerprints, split_of
from mars_pl.pipeline.execution.lock import is_locked
from mars_pl.pipeline.settings.resolved import resolve
from mars_pl.pipeline.stage import Stage

RUNS = Path("runs")
STAGES = RUNS / "stages"
FACTS = "stage.json"
"""What a stage was made of, in its folder, for people and for the reasons of a plan."""

SECONDS = "seconds.json"

LONGEST = 200
"""Bytes of a folder's name; file systems take 255, and `.part`, `.lock` and temporary names are longer."""

CONTENTS = ("inputs", "data", "weights", "truth")
"""Facts that are sums of what lies somewhere, which say nothing to a person but that they differ."""


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
    def key(self) -> Path:
        """Return what the stage is known by, and where its lock is; a folder's name says more, for people."""
        return STAGES / f"{self.stage.name}-{self.fingerprint.folder}"

    @property
    def folder(self) -> Path:
        """Return the folder of the finished stage: the one of its fingerprint, under whatever choices it was made."""
        for ending in ("", ".part"):
            for path in sorted(STAGES.glob(f"*-{self.fingerprint.folder}{ending}")):
                return path.with_name(path.name.removesuffix(".part"))
        told = safe_name("-".join((self.stage.name, *self.stage.choices)))
        return STAGES / f"{told}-{self.fingerprint.folder}"

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
            below, _, name = self.stage.each.rpartition("/")
            files = place(folder / below)
            lacking += [self.stage.each.format(id=one) for one in ids if not (files / name.format(id=one)).is_file()]
        return lacking

    def reason(self) -> str:
        """Say why it is to be made: what differs from the likest finished one of the same stage."""
        if is_locked(self.key):
            return "another command is making it"
        if self.begun:
            return "was broken off; goes on"
        likest, differences = self._likest()
        if likest is None:
            return "was never made"
        shown = "; ".join(differences[:3]) + ("; …" if len(differences) > 3 else "")
        return f"{shown} (against {likest.name})"

    def _likest(self) -> tuple[Path | None, list[str]]:
        """The finished one that differs least, of several the one of the likest name."""
        best: tuple[Path | None, list[str]] = (None, [])
        nearness = (0, 0)
        for path in sorted(STAGES.glob(f"{self.stage.name}-*/{FACTS}")):
            try:
                facts = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # a folder that a person changed is no reason to stop
            if not isinstance(facts, dict) or facts.get("stage") != self.stage.name:
                continue
            found = differences(facts, json.loads(json.dumps(self.fingerprint.facts, default=str)))
            near = (len(found), -len({*path.parent.name.split("-")} & {*self.folder.name.split("-")}))
            if best[0] is None or near < nearness:
                best, nearness = (path.parent, found), near
        return best


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Return in words what differs between two trees of plain values."""
    if isinstance(before, dict) and isinstance(after, dict):
        found: list[str] = []
        for key in [*after, *(key for key in before if key not in after)]:
            if key not in ("command", "seconds"):
                found += differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
        return found
    if before == after:
        return []
    group, _, name = path.partition(".")
    if group in CONTENTS and before is not None and after is not None:
        return [f"{_short(name or group)} changed"]
    return [f"{_short(path)} is {_word(after)}, was {_word(before)}"]


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

    def each_once(self, stages: Sequence[Stage]) -> list[Stage]:
        """Leave out stages that are the same as one before them: several runs have them in common."""
        first: dict[Path, Stage] = {}
        for stage in stages:
            first.setdefault(self.of(stage).key, stage)
        return list(first.values())


def safe_name(name: str) -> str:
    """Return what a folder can be called: letters of any language, digits, points and dashes; a long one is cut."""
    name = re.sub(r"[^\w.-]+", "_", name)
    encoded = name.encode()
    if len(encoded) <= LONGEST:
        return name
    return f"{encoded[:LONGEST].decode(errors='ignore')}-{hashlib.sha256(encoded).hexdigest()[:6]}"
