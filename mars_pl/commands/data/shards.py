"""``mars data shards``, ``unpack`` and ``index``: between folders of files and shards, here or in an object store."""

from __future__ import annotations

import argparse
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.shards.shard_file import SIZE
from datamodules.files.shards.store import is_url
from datamodules.prepare.preparing import disk_faults
from datamodules.prepare.shards.pack import folder_members, pack, unpack, write_index
from datamodules.prepare.shards.pack_root import is_root, pack_root

SHARDS = "folder of the shards: a path, or a URL such as s3://bucket/voc"


def add_shards(parser: argparse.ArgumentParser) -> None:
    """Add what is packed, and where to."""
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="a prepared data set, or a folder of images or masks"
    )
    parser.add_argument("shards", metavar="SHARDS", help=SHARDS)
    words = f"of the files in a shard (default: {SIZE:g})"
    parser.add_argument("--size", type=float, default=SIZE, metavar="MIB", help=words)
    _add_index_here(parser)
    parser.set_defaults(run=_pack)


def add_unpack(parser: argparse.ArgumentParser) -> None:
    """Add what is unpacked, and where to."""
    parser.add_argument("shards", metavar="SHARDS", help=f"{SHARDS}, or its index")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="for the files")
    parser.set_defaults(run=_unpack)


def add_index(parser: argparse.ArgumentParser) -> None:
    """Add which shards are meant."""
    parser.add_argument("shards", metavar="SHARDS", help=SHARDS)
    _add_index_here(parser)
    parser.set_defaults(run=_index)


def _add_index_here(parser: argparse.ArgumentParser) -> None:
    words = "folder here for an index that names shards in a store; of a data set for its lists and image labels too"
    parser.add_argument("--index", type=Path, metavar="DIR", help=words)


def _pack(options: argparse.Namespace) -> None:
    source, place = options.folder, options.shards.rstrip("/")
    if not source.is_dir():
        raise DataError(f"{source}: no such folder; name a prepared data set, or a folder of images or masks")
    here = None if is_url(place) else Path(place)
    if here is not None and here.resolve() == source.resolve():
        raise DataError(f"{place}: holds the files themselves; name another folder for their shards")
    with disk_faults(source if here is None else here):
        if is_root(source):
            root = options.index or here
            if root is None:
                raise DataError("--index: lists and indexes of a data set in a store lie in a folder here; name one")
            for name, count in pack_root(source, place, root, options.size).items():
                print(f"{place}/{name}: {count:,} shards")
            return
        members = folder_members(source)
        if not members:
            raise DataError(f"{source}: holds no image, mask or scores; name the folder that does")
        count = pack(members, place, source.resolve().name, options.size, options.index)
    print(f"{place}: {len(members):,} files in {count:,} shards")


def _unpack(options: argparse.Namespace) -> None:
    with disk_faults(options.folder):
        print(f"{options.folder}: {unpack(options.shards.rstrip('/'), options.folder):,} files")


def _index(options: argparse.Namespace) -> None:
    place = options.shards.rstrip("/")
    print(f"{place}: {write_index(place, options.index):,} files")
