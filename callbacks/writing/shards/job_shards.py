"""Which files of a predict job become shards: taken in as images are done, packed when they fill one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from callbacks.writing.shards.shard_output import ShardOutput
from datamodules.errors import DataError
from datamodules.files.shards.index import INDEX
from datamodules.files.shards.shard_file import MIB
from datamodules.files.shards.store import is_url
from datamodules.files.whole_file import make_folder

HERE = "here"
"""In place of a URL: the shards lie where the files would."""


class JobShards:
    """The shards of one process of a job.

    Args:
        folder: of the job.
        files: what is written for each image, `mars/{id}.png`, below that folder.
        place: `here`, or a URL for the shards of all sub-folders.
        bound: MiB of files that fill a shard.

    Raises:
        DataError: where the place is neither, or the bound is none.
    """

    def __init__(self, folder: Path, files: Sequence[str], place: str, bound: float) -> None:
        if place != HERE and not is_url(place):
            raise DataError(
                f"shards: {place} is neither `{HERE}` nor a URL; write s3://bucket/folder, or file:///folder"
            )
        if not files:
            raise DataError("shards: this job writes no file for every image; leave shards out")
        if not bound > 0:
            raise DataError(f"shard_size: {bound} MiB hold nothing; take 256, or any size above 0")
        self.files, self.bound = [file.rpartition("/")[::2] for file in files], bound * MIB
        self._outputs = {
            below: ShardOutput(
                make_folder(folder / below), str(folder / below) if place == HERE else _below(place, below)
            )
            for below, _ in self.files
        }
        self._names: dict[str, list[str]] = {below: [] for below in self._outputs}
        self._bytes = dict.fromkeys(self._outputs, 0)

    def begin(self, done: Collection[str]) -> None:
        """Bring the folders into order; the first process does, before any writes.

        Args:
            done: images that an earlier job has done, with which this one goes on; without any it starts afresh.

        Raises:
            DataError: where the shards of another job are in the place.
        """
        for output in self._outputs.values():
            output.check_place()
            if done:
                output.go_on()
            else:
                output.forget()

    def take_up(self, done: Iterable[str], rank: int) -> None:
        """Take in what an earlier job has done and not packed; one process does."""
        for image_id in done:
            self.take_in(image_id, rank)

    def take_in(self, image_id: str, rank: int) -> None:
        """Take in the files of an image that is done, and pack those that fill a shard."""
        for below, name in self.files:
            path = self._outputs[below].folder / name.format(id=image_id)
            if path.is_file():
                self._names[below].append(name.format(id=image_id))
                self._bytes[below] += path.stat().st_size
        for below, size in self._bytes.items():
            if size >= self.bound:
                self._pack(below, rank)

    def pack_rest(self, rank: int) -> None:
        """Pack what is left of this process's files."""
        for below, names in self._names.items():
            if names:
                self._pack(below, rank)

    def finish(self) -> None:
        """Write the indexes; the first process does, when all have packed."""
        for output in self._outputs.values():
            output.finish()

    def _pack(self, below: str, rank: int) -> None:
        self._outputs[below].pack(self._names[below], rank)
        self._names[below], self._bytes[below] = [], 0


def refuse_shards(folder: Path, files: Sequence[str]) -> None:
    """Raise DataError where files are to be written beside an index, which would hide them."""
    for file in files:
        index = (folder / file).parent / INDEX
        if index.is_file():
            raise DataError(
                f"{index}: shards lie here and files are asked for; set the writer's shards, or remove them"
            )


def _below(place: str, below: str) -> str:
    return "/".join(filter(None, (place.rstrip("/"), below)))
