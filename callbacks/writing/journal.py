"""What a predict job has done, a line an image, so that one that was broken off goes on and processes come together."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

T = TypeVar("T")

NAME = ".done-{}.jsonl"
"""Of the journal of one process; hidden, for it is gone when the job has ended well."""


@dataclass(frozen=True)
class Done(Generic[T]):
    """An image whose files are whole on disk.

    Attributes:
        id: of the image, or of the crop.
        place: in the data's list.
        result: what the end of the job needs of it: None, numbers, arrays, lists and dicts of them.
    """

    id: str
    place: int
    result: T


class Journal:
    """Appends what one process has done; a process that is killed loses at most the line it was writing.

    Args:
        folder: of the job.
        rank: of the process.
    """

    def __init__(self, folder: Path, rank: int) -> None:
        self.path = folder / NAME.format(rank)
        self._file = self.path.open("a", encoding="utf-8")
        if self._file.tell():
            self._file.write("\n")  # ends the line at which an earlier process may have been killed

    def append(self, done: Done[Any]) -> None:
        """Write one image down; arrays come back bit for bit."""
        line = {"id": done.id, "place": done.place, "result": done.result}
        text = json.dumps(line, default=_encoded)
        self._file.write(f"{_checksum(text)} {text}\n")
        self._file.flush()

    def clear(self) -> None:
        """Forget what stands in it, for it is kept elsewhere."""
        self._file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def journals(folder: Path) -> list[Path]:
    """Return the journals of a folder, of however many processes."""
    return sorted(folder.glob(NAME.format("*")))


def read_journals(folder: Path) -> Iterator[Done[Any]]:
    """Yield what stands in the journals of a folder, see ``read_journal``."""
    for path in journals(folder):
        yield from read_journal(path)


def read_journal(path: Path) -> Iterator[Done[Any]]:
    """Yield what stands in one journal.

    A line that is torn or damaged is left out: its image is done once more.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            checksum, _, text = line.rstrip("\n").partition(" ")
            if checksum == _checksum(text):
                yield Done(**json.loads(text, object_hook=_decoded))


def remove_journals(folder: Path) -> None:
    """Forget what was done."""
    for path in journals(folder):
        path.unlink()


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


def _encoded(value: Any) -> dict[str, Any]:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"a journal takes numbers and arrays, not {type(value).__name__}")
    # counts of classes are mostly zeros: deflated, those of COCO's 81 take hundreds of bytes and not thousands
    packed = zlib.compress(np.ascontiguousarray(value).tobytes(), 1)
    return {"dtype": value.dtype.str, "shape": value.shape, "bytes": base64.b64encode(packed).decode("ascii")}


def _decoded(value: dict[str, Any]) -> Any:
    if value.keys() != {"dtype", "shape", "bytes"}:
        return value
    content = zlib.decompress(base64.b64decode(value["bytes"]))
    return np.frombuffer(bytearray(content), value["dtype"]).reshape(value["shape"])
