"""Folders of files packed into shards, and shards taken apart again; both go on where they were broken off."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.files.image_list import SUFFIXES, bare_id, is_hidden
from datamodules.files.shards.index import INDEX, merged, renamed, table_of, write_table
from datamodules.files.shards.shard_file import Member, in_shards, layout, read_entries, write_shard
from datamodules.files.shards.shard_folder import ShardFolder
from datamodules.files.shards.store import Store
from datamodules.files.whole_file import make_folder, whole_file
from datamodules.progress import with_progress

PACKED = (*SUFFIXES, ".npz", ".npy")
"""What is packed: images, masks, scores, features."""


def folder_members(folder: Path) -> list[Member]:
    """Return what is packed of a folder, sorted by image id; its sub-folders and other files are left out.

    Raises:
        DataError: where two images share an id, as `a.jpg` and `a.png` do.
    """
    names = (path.name for path in folder.iterdir() if path.name.lower().endswith(PACKED) and path.is_file())
    return members_of(folder / name for name in names if not is_hidden(Path(name)))


def members_of(paths: Iterable[Path]) -> list[Member]:
    """Return files as members, sorted; raises DataError where two of one kind share an id."""
    members: dict[tuple[str, str], Member] = {}
    for path in paths:
        picture = path.name.lower().endswith(SUFFIXES)
        image_id = bare_id(path.name) if picture else path.stem
        suffix = path.name[len(image_id) :] if path.name.startswith(image_id) else path.suffix
        kind = (image_id, "image" if picture else suffix)
        if kind in members:
            raise DataError(f"{path}: has the id of {members[kind].path.name}; take one of the two away")
        members[kind] = Member(image_id, suffix, path, path.stat().st_size)
    return sorted(members.values())


def pack(members: Sequence[Member], place: str, name: str, bound: float, index: Path | None = None) -> int:
    """Pack files into the shards of a place, `<name>-000000.tar` and so on, and write their index last.

    A shard that is there at the size that it should have is left, so that a call that was broken off goes on.

    Args:
        members: sorted.
        place: path or URL of the shards.
        name: that shards begin with.
        bound: MiB of a shard.
        index: folder here for another index, which names the shards by their URLs; None for none.

    Returns:
        How many shards there are.

    Raises:
        DataError: where the place holds shards of other files, cannot be reached, or a file changes meanwhile.
    """
    if not bound > 0:
        raise DataError(f"--size {bound}: a shard holds nothing; take 256 MiB, or any size above 0")
    store = Store(place)
    folder = None if store.remote else make_folder(Path(place))
    planned = []
    for number, content in enumerate(in_shards(members, bound)):
        shard = f"{name}-{number:06d}.tar"
        planned.append((shard, content, *layout(content, shard)))
    there = {shard: size for shard, size in store.sizes().items() if shard.endswith(".tar")}
    if others := sorted({*there} - {shard for shard, *_ in planned}):
        raise DataError(f"{store.address(others[0])}: is a shard of other files; name another place, or remove it")
    with tempfile.TemporaryDirectory(prefix=".shards-", dir=folder) as scratch:
        for shard, content, _, size in with_progress(planned, len(planned), f"packing {name}"):
            if there.get(shard) != size:
                write_shard(Path(scratch, shard), content)
                store.take(Path(scratch, shard), shard)
    _write_indexes(merged([table_of(entries) for _, _, entries, _ in planned]), store, index)
    return len(planned)


def write_index(place: str, index: Path | None = None) -> int:
    """Write the index of shards that are there, whoever wrote them; returns how many files it names.

    Raises:
        DataError: where there are none, one is damaged, or two files have one name; or the place cannot be reached.
    """
    store = Store(place)
    shards = sorted(shard for shard in store.sizes() if shard.endswith(".tar"))
    if not shards:
        raise DataError(f"{place}: holds no .tar; name the folder of the shards")
    tables = [table_of(read_entries(store, shard)) for shard in with_progress(shards, len(shards), "reading heads")]
    table = merged(tables)
    if len(table) < sum(map(len, tables)):
        raise DataError(f"{place}: {sum(map(len, tables)) - len(table)} files of its shards share a name; rename them")
    _write_indexes(table, store, index)
    return len(table)


def unpack(place: str, folder: Path) -> int:
    """Write the files of shards into a folder, but for those that are there at their size; returns how many there are.

    Raises:
        DataError: where the index or a shard is at fault or out of reach.
    """
    shards = ShardFolder(place.removesuffix(f"/{INDEX}"))
    index = shards.index
    for entry in with_progress(index.entries(), len(index), f"unpacking {shards.name}"):
        path = make_folder(folder) / f"{entry.id}{entry.suffix}"
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{shards}: {path.name} would lie outside {folder}; leave it out of the shards")
        if not (path.is_file() and path.stat().st_size == entry.length):
            content = shards.read(entry)
            with whole_file(path) as partial:
                partial.write_bytes(content)
    return len(index)


def _write_indexes(table: Any, store: Store, index: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix=".shards-", dir=None if store.remote else store.place) as scratch:
        path = Path(scratch, INDEX)
        write_table(path, table)
        store.take(path, INDEX)
    if index is not None:
        write_table(index / INDEX, renamed(table, store.address))
