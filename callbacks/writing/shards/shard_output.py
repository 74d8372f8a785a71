"""One folder of a predict job whose files are packed into shards while it runs, and their index at its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.files.shards.index import INDEX, Index, merged, read_table, renamed, table_of, write_table
from datamodules.files.shards.shard_file import Member, layout, write_shard
from datamodules.files.shards.store import Store

PART = ".shard-{rank}-{number}.parquet"
"""What lies in one shard, until the job has ended well; written before the shard has its place."""

PARTIAL = "*.tar.part"
"""Shards on their way; one that is left there was broken off."""


class ShardOutput:
    """A folder of files that become shards.

    Files are written as ever, each whole. A process packs those of images that its journal names: it writes the shard
    beside its place, then what lies in it, then moves the shard, then removes the files. So a job that is killed at any
    moment leaves each file or its shard, and the next one knows which.

    Args:
        folder: that the files are written to, and the index in the end.
        place: of the shards: the folder's path, or a URL.
    """

    def __init__(self, folder: Path, place: str) -> None:
        self.folder, self.store = folder, Store(place)

    def check_place(self) -> None:
        """Raise DataError where shards lie in a store that this folder knows nothing of: they are another job's."""
        if not self.store.remote:
            return
        known = {_own_name(shard) for table in self._tables() for shard in Index(table).shards()}
        there = [name for name in self.store.sizes() if name.endswith(".tar") or (name == INDEX and not known)]
        if others := sorted({*there} - known):
            address = self.store.address(others[0])
            raise DataError(f"{address}: is another job's; set the writer's shards to another place, or remove it")

    def go_on(self) -> None:
        """Bring what was broken off into order; one process does, before any writes.

        Raises:
            StoreError: where the shards cannot be reached.
        """
        self._remove_partial()
        sizes = self.store.sizes()
        for part in self._parts():
            index = Index(read_table(Store(str(self.folder)), part.name))
            [shard] = index.shards()
            members = [self._member(entry.id, entry.suffix, entry.length) for entry in index.entries()]
            if sizes.get(shard) == layout(members, shard)[1]:
                for member in members:
                    member.path.unlink(missing_ok=True)
            else:  # it never came to its place whole, so that its files are still here
                self.store.remove(shard)
                part.unlink()

    def forget(self) -> None:
        """Remove the shards of an earlier job in this folder, and what tells of them; raises StoreError."""
        tables = self._tables()
        for shard in {shard for table in tables for shard in Index(table).shards()}:
            if self.store.address(shard) == self.store.address(_own_name(shard)):
                self.store.remove(shard)
        if tables and self.store.remote:
            self.store.remove(INDEX)
        self._remove_partial()
        for path in (self.folder / INDEX, *self._parts()):
            path.unlink(missing_ok=True)

    def pack(self, names: Sequence[str], rank: int) -> None:
        """Write one shard of files by their names in the folder, and remove them; raises StoreError."""
        members = []
        for name in sorted(names):
            image_id, dot, suffix = name.rpartition(".")
            members.append(self._member(image_id, f"{dot}{suffix}", (self.folder / name).stat().st_size))
        numbers = [int(path.stem.rpartition("-")[2]) for path in self.folder.glob(PART.format(rank=rank, number="*"))]
        number = max(numbers, default=-1) + 1
        shard = f"shard-{rank}-{number:06d}.tar"
        partial = self.folder / f"{shard}.part"
        write_shard(partial, members)
        write_table(self.folder / PART.format(rank=rank, number=number), table_of(layout(members, shard)[0]))
        self.store.take(partial, shard)
        for member in members:
            member.path.unlink()

    def finish(self) -> None:
        """Write the index of all shards, in a store too; one process does, when all have packed what they had."""
        table = merged([renamed(table, _own_name) for table in self._tables()])
        if self.store.remote:
            partial = self.folder / f"{INDEX}.tar.part"
            write_table(partial, table)
            self.store.take(partial, INDEX)
            table = renamed(table, self.store.address)
        write_table(self.folder / INDEX, table)
        for part in self._parts():
            part.unlink()

    def _member(self, image_id: str, suffix: str, size: int) -> Member:
        return Member(image_id, suffix, self.folder / f"{image_id}{suffix}", size)

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob(PART.format(rank="*", number="*")))

    def _remove_partial(self) -> None:
        for path in self.folder.glob(PARTIAL):
            path.unlink()

    def _tables(self) -> list[Any]:
        here = Store(str(self.folder))
        return [read_table(here, path.name) for path in (self.folder / INDEX, *self._parts()) if path.is_file()]


def _own_name(shard: str) -> str:
    return shard.rsplit("/", 1)[-1]
