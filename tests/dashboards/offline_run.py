"""Offline runs of Weights & Biases read back from `run-*.wandb`, whose records are framed as in LevelDB's log."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

HEADER, BLOCK, FRAME = 7, 32768, 7


@dataclass
class OfflineRun:
    """What one file holds: who the run is, its rows, the last value of each key, and how it ended."""

    folder: Path
    name: str = ""
    group: str = ""
    job_type: str = ""
    id: str = ""
    project: str = ""
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[str, list[str]] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def keys(self) -> set[str]:
        """All keys that were logged."""
        return {key for row in self.rows for key in row if not key.startswith("_")}

    def last(self, key: str) -> Any:
        """The last value of a key."""
        return [row[key] for row in self.rows if key in row][-1]

    def curve(self, key: str) -> list[Any]:
        """All values of a key."""
        return [row[key] for row in self.rows if key in row]

    @property
    def class_labels(self) -> dict[str, dict[str, str]]:
        """What the codes of each mask are called, by `<panel> <mask>`."""
        found = self.config["_wandb"]["mask/class_labels"]
        return {key.replace("_wandb_delimeter_", " "): entry["value"] for key, entry in found.items()}

    def table(self, key: str) -> list[dict[str, Any]]:
        """The rows of a table."""
        found = json.loads((self.folder / "files" / self.last(f"{key}/path")).read_text())
        return [dict(zip(found["columns"], line, strict=True)) for line in found["data"]]


def read_offline_runs(folder: Path, seconds: float = 30) -> list[OfflineRun]:
    """Read all offline runs of a folder, in the order of their names.

    W&B's service writes the last records a moment after a run has ended; they are waited for.
    """
    until = time.monotonic() + seconds
    while True:
        found = [_read(path) for path in sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))]
        if all(run.exit_code is not None for run in found) or time.monotonic() > until:
            return found
        time.sleep(0.05)


def _read(path: Path) -> OfflineRun:
    found = OfflineRun(path.parent)
    for record in _records(path.read_bytes()):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            found.name, found.group, found.job_type = run.display_name, run.run_group, run.job_type
            found.id, found.project, found.tags = run.run_id, run.project, tuple(run.tags)
            found.config |= _items(run.config.update)
        elif kind == "config":
            found.config |= _items(record.config.update)
        elif kind == "history":
            found.rows.append(_items(record.history.item))
        elif kind == "artifact":
            found.artifacts[record.artifact.name] = [entry.path for entry in record.artifact.manifest.contents]
        elif kind == "exit":
            found.exit_code = record.exit.exit_code
    return found


def _items(items: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in items:
        values["/".join(item.nested_key) or item.key] = json.loads(item.value_json)
    return values


def _records(content: bytes) -> Iterator[Record]:
    """LevelDB: blocks of 32 KiB, in them frames of checksum, length and kind (1 whole, 2 first, 3 middle, 4 last).

    The service writes block by block: a frame that is not all there yet ends what can be read.
    """
    place, whole = HEADER, b""
    while place + FRAME <= len(content):
        left = BLOCK - place % BLOCK
        if left < FRAME:
            place += left
            continue
        length, kind = struct.unpack("<HB", content[place + 4 : place + FRAME])
        if place + FRAME + length > len(content):
            return
        whole += content[place + FRAME : place + FRAME + length]
        place += FRAME + length
        if kind in (1, 4):
            record = Record()
            record.ParseFromString(whole)
            whole = b""
            yield record
