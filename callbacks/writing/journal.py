"""What a predict job has done, a line an image, so that one that was broken off goes on and processes come together."""

from __future__ import annotations

import base64
import json
import zlib
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
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
    return (done for _, done in _lines(path))


class AllDone(Generic[T]):
    """What stands in the journals of a folder, each image once and in the order of the data's list.

    Of an image that stands there twice the last counts. In memory are the places and where their lines begin, 24 bytes
    an image; the lines are read as they are gone through, as often as one likes.

    Args:
        folder: of the job, none of whose processes writes any more.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = journals(folder)
        places, files, starts = array("q"), array("q"), array("q")
        for number, path in enumerate(self._paths):
            for start, done in _lines(path):
                places.append(done.place)
                files.append(number)
                starts.append(start)
        found = np.array(places)
        order = np.argsort(found, kind="stable")
        last = np.append(found[order][1:] != found[order][:-1], True)[: len(order)]
        self._files, self._starts = np.array(files)[order[last]], np.array(starts)[order[last]]

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Done[T]]:
        with ExitStack() as stack:
            opened = [stack.enter_context(path.open("rb")) for path in self._paths]
            for number, start in zip(self._files, self._starts, strict=True):
                file = opened[number]
                if file.tell() != start:
                    file.seek(start)
                done = _done(file.readline())
                assert done is not None  # it was read before
                yield done


def remove_journals(folder: Path) -> None:
    """Forget what was done."""
    for path in journals(folder):
        path.unlink()


def _lines(path: Path) -> Iterator[tuple[int, Done[Any]]]:
    """Yield where each line begins that is whole, and what it says."""
    start = 0
    with path.open("rb") as file:
        for line in file:
            if (done := _done(line)) is not None:
                yield start, done
            start += len(line)


def _done(line: bytes) -> Done[Any] | None:
    checksum, _, text = line.decode("utf-8", "replace").rstrip("\n").partition(" ")
    return Done(**json.loads(text, object_hook=_decoded)) if checksum == _checksum(text) else None


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
