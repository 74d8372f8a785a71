"""A folder of shards, asked as a folder of files is: for `<id>.png`, whether it is there and what it holds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cached_property
from typing import IO, Any

from datamodules.files.image_list import SUFFIXES
from datamodules.files.shards.index import INDEX, Entry, Index, read_index
from datamodules.files.shards.store import Store, StoreError


class ShardFile:
    """A file of a folder of shards, whether the index names it or not.

    Args:
        folder: that it is looked for in.
        name: of the file.
        entry: where its bytes are; None where the index does not name it.
    """

    def __init__(self, folder: ShardFolder, name: str, entry: Entry | None) -> None:
        self.folder, self.name, self.entry = folder, name, entry

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return self.name.rpartition(".")[0]

    @property
    def suffix(self) -> str:
        """Of the name, with its dot."""
        return f".{self.name.rpartition('.')[2]}"

    def is_file(self) -> bool:
        """Tell whether the index names it."""
        return self.entry is not None

    def open(self, mode: str = "rb") -> IO[bytes]:
        """Open its bytes for reading.

        Raises:
            FileNotFoundError: where the index does not name it.
            StoreError: where its shard is missing or cut short, or cannot be reached.
        """
        if self.entry is None:
            raise FileNotFoundError(str(self))
        return io.BytesIO(self.folder.read(self.entry))

    def __str__(self) -> str:
        return f"{self.folder.store.address(INDEX)}: {self.name}"


class ShardFolder:
    """A folder of shards.

    Args:
        place: path or URL of the folder that holds the index.
    """

    def __init__(self, place: str) -> None:
        self.store = Store(place.rstrip("/") or "/")

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.store.place.rsplit("/", 1)[-1]

    @cached_property
    def index(self) -> Index:
        """Which files there are; raises StoreError where it cannot be read."""
        return read_index(self.store)

    def is_dir(self) -> bool:
        """Tell that files may be looked for in it; raises StoreError where its index cannot be read."""
        return len(self.index) >= 0

    def __truediv__(self, name: str) -> ShardFile:
        image_id, dot, suffix = name.rpartition(".")
        found = (entry for entry in self.index.find(image_id) if entry.suffix == f"{dot}{suffix}")
        return ShardFile(self, name, next(found, None))

    def image(self, image_id: str) -> ShardFile:
        """Return an image of whatever suffix, `.jpg` before others; one that is not there is called so."""
        found = [entry for entry in self.index.find(image_id) if entry.suffix.lower().endswith(SUFFIXES)]
        entry = next((entry for entry in found if entry.suffix == ".jpg"), found[0] if found else None)
        return ShardFile(self, f"{image_id}{entry.suffix if entry else '.jpg'}", entry)

    def names(self) -> Iterator[str]:
        """Yield the names of all files, sorted by image id."""
        return (f"{image_id}{suffix}" for image_id, suffix in self.index.names())

    def read(self, entry: Entry) -> bytes:
        """Return the bytes of a file; raises StoreError where its shard is missing, cut short or out of reach."""
        shard, stop = self.store.address(entry.shard), entry.offset + entry.length
        try:
            content = self.store.read(entry.shard, entry.offset, stop) if entry.length else b""
        except FileNotFoundError:
            raise StoreError(
                f"{shard}: no such shard, and {self.store.address(INDEX)} names it; put it back or pack the data again"
            ) from None
        except StoreError:
            if self.store.size(entry.shard) >= stop:
                raise
            content = b""  # stores refuse a range behind the end
        if len(content) < entry.length:
            file = f"{entry.id}{entry.suffix}"
            raise StoreError(f"{shard}: cut short, {file} ends at byte {stop:,}; put it back or pack the data again")
        if len(content) > entry.length:
            raise StoreError(f"{shard}: its server sends the whole file for a part; take a store that knows ranges")
        return content

    def __str__(self) -> str:
        return self.store.place

    def __getstate__(self) -> dict[str, Any]:
        return {"store": self.store}  # a process that is not a fork reads the index itself
