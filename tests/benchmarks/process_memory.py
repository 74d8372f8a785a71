"""What a job and its processes hold while it runs, as Linux tells."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

PROC = Path("/proc")


def resident(field: str, pid: int | str = "self", file: str = "status") -> float | None:
    """Return what a process holds, in MiB; None where it has gone or the system does not tell (Linux does).

    Args:
        field: of that file, as `VmRSS` or, for the most that it has held, `VmHWM`.
        pid: of the process.
        file: below its folder in /proc.
    """
    try:
        found = re.search(rf"^{field}:\s+(\d+) kB", (PROC / str(pid) / file).read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) / 1024 if found else None


class Watch:
    """Looks at a job from outside.

    Attributes:
        done: images whose files are there, by the lines of its journals.
        peak: most that its first process held, in MiB (RSS).
        all: most that all its processes held together, in MiB; pages that several share count once (PSS).

    Args:
        pid: of the first process.
        folder: of its journals.
    """

    def __init__(self, pid: int, folder: Path) -> None:
        self.pid, self.folder = pid, folder
        self.done, self.peak, self.all = 0, 0.0, 0.0
        self._read: dict[Path, int] = {}
        self._seen: list[tuple[int, float]] = []

    def look(self) -> None:
        """Take its numbers now."""
        for path in self.folder.glob(".done-*.jsonl"):
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                content = file.read()
                self.done += content.count(b"\n")
                self._read[path] = file.tell()
        held = resident("VmRSS", self.pid) or 0.0
        self._seen.append((self.done, held))
        self.peak = max(self.peak, held)
        self.all = max(self.all, sum(resident("Pss", pid, "smaps_rollup") or 0.0 for pid in _tree(self.pid)))

    def at(self, done: int) -> float:
        """Return what its first process held when so many images were done."""
        return next((held for count, held in self._seen if count >= done), self.peak)


def _tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in (PROC / str(one) / "task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found
