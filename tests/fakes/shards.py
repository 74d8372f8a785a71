"""Shards in a store of this process, by fsspec's `memory://`, and folders packed into it."""

from __future__ import annotations

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from datamodules.prepare.shards.pack import folder_members, pack


@pytest.fixture
def bucket():
    """The URL of an empty store."""
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    yield "memory://bucket"
    MemoryFileSystem.store.clear()


def packed(folder, place, bound=1.0, index=None):
    """Pack a folder into the shards of a place; returns the place."""
    pack(folder_members(folder), str(place), folder.name, bound, index)
    return place


def stored(url):
    """The bytes of each file below a URL of a store, by its name there."""
    start = url.removeprefix("memory:/")
    return {name.removeprefix(f"{start}/"): bytes(file.getbuffer()) for name, file in MemoryFileSystem.store.items()
            if name.startswith(f"{start}/")}  # fmt: skip


def put(url, content):
    """Put bytes in the place of a file of a store; None removes it."""
    files = MemoryFileSystem()
    if content is None:
        files.rm_file(url.removeprefix("memory:/"))
    else:
        files.pipe_file(url.removeprefix("memory:/"), content)
