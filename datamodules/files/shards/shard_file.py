"""A shard written: a plain tar of files, one after the other, whose bytes depend on nothing but theirs."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from datamodules.errors import DataError
from datamodules.files.shards.index import Entry
from datamodules.files.shards.store import Store, StoreError

SIZE = 256.0
"""MiB of a shard: some ten thousand photographs' labels each; a store's answer to one request matters no more."""

MIB = 2**20


class Member(NamedTuple):
    """A file that goes into a shard.

    Attributes:
        id: of its image.
        suffix: of its name there, with its dot.
        path: where it lies now.
        size: in bytes.
    """

    id: str
    suffix: str
    path: Path
    size: int


def members_in(paths: Iterable[Path]) -> Iterator[Member]:
    """Yield files as members of their own names."""
    for path in paths:
        image_id, dot, suffix = path.name.rpartition(".")
        yield Member(image_id, f"{dot}{suffix}", path, path.stat().st_size)


def in_shards(members: Iterable[Member], bound: float) -> Iterator[list[Member]]:
    """Part members into shards.

    Args:
        members: in the order in which they shall lie.
        bound: MiB that the files of a shard stay below, but for one that is larger by itself; those of one image are
            not parted.
    """
    shard: list[Member] = []
    size = 0
    for member in members:
        if shard and size + member.size > bound * MIB and member.id != shard[-1].id:
            yield shard
            shard, size = [], 0
        shard.append(member)
        size += member.size
    if shard:
        yield shard


def layout(members: Sequence[Member], shard: str) -> tuple[list[Entry], int]:
    """Return where each member's bytes will be in a shard, and the shard's own size, without reading a file."""
    entries, offset = [], 0
    for member in members:
        offset += len(_head(member).tobuf(tarfile.PAX_FORMAT))
        entries.append(Entry(member.id, member.suffix, shard, offset, member.size))
        offset += -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    whole = offset + 2 * tarfile.BLOCKSIZE
    return entries, -(-whole // tarfile.RECORDSIZE) * tarfile.RECORDSIZE


def write_shard(path: Path, members: Sequence[Member]) -> None:
    """Write a shard.

    Raises:
        DataError: where a file is not as large as it was.
        OSError: where the disk refuses, or a file is gone.
    """
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            if member.path.stat().st_size != member.size:
                raise DataError(f"{member.path}: was changed while it was packed; start again when nothing writes it")
            with member.path.open("rb") as file:
                archive.addfile(_head(member), file)


def read_entries(store: Store, shard: str) -> Iterator[Entry]:
    """Yield what lies in a shard that anyone has written, by its heads.

    Raises:
        StoreError: where it is missing, packed, damaged or cut short, or out of reach.
    """
    import fsspec

    try:
        with fsspec.open(store.address(shard), "rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
            for one in archive:
                if one.isfile():
                    name = one.name.rsplit("/", 1)[-1]  # ids are bare, whatever folders others part them by
                    image_id, dot, suffix = name.rpartition(".")
                    yield Entry(image_id, f"{dot}{suffix}", shard, one.offset_data, one.size)
            file.seek(archive.offset)  # tarfile takes a head that is cut short for the end
            if file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
                raise tarfile.ReadError("cut short")
    except (OSError, tarfile.TarError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StoreError(f"{store.address(shard)}: no plain tar file ({reason}); put it back or leave it out") from None


def _head(member: Member) -> tarfile.TarInfo:
    head = tarfile.TarInfo(f"{member.id}{member.suffix}")
    head.size = member.size
    return head
