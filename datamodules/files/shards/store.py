"""A folder here or in an object store, read and written by fsspec; whatever stands between us and it is one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.errors import DataError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class StoreError(DataError):
    """A shard, an index or the place that holds them is at fault, and no single image."""


def is_url(place: str | Path) -> bool:
    """Tell whether a place is named by its protocol, `s3://…`; a `Path` has lost one of the two slashes."""
    return "://" in str(place)


@dataclass(frozen=True)
class Store:
    """A folder.

    Args:
        place: its path or its URL.
    """

    place: str

    @property
    def remote(self) -> bool:
        """Tell whether it lies elsewhere than in the file system."""
        return is_url(self.place)

    def address(self, name: str) -> str:
        """Return where a file lies; one that is named by a URL lies there."""
        return name if is_url(name) else f"{self.place.rstrip('/')}/{name}"

    def read(self, name: str, start: int | None = None, stop: int | None = None) -> bytes:
        """Return the bytes of a file from `start` to `stop`, fewer where it ends before.

        Raises:
            FileNotFoundError: where there is no such file.
            StoreError: where its store cannot be reached.
        """
        with _reached(self.address(name)) as (files, path):
            content: bytes = files.cat_file(path, start, stop)
            return content

    def size(self, name: str) -> int:
        """Return the bytes of a file; raises as `read` does."""
        with _reached(self.address(name)) as (files, path):
            return int(files.size(path))

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each file by its name; none where there is no such folder. Raises StoreError."""
        try:
            with _reached(self.place) as (files, path):
                files.invalidate_cache()
                listed = files.ls(path, detail=True)
        except FileNotFoundError:
            return {}
        return {one["name"].rstrip("/").rsplit("/", 1)[-1]: one["size"] for one in listed if one["type"] == "file"}

    def take(self, file: Path, name: str) -> None:
        """Move a file from here into the folder, where it appears whole or not at all; raises StoreError."""
        if not self.remote:
            file.replace(self.address(name))
            return
        with _reached(self.address(name)) as (files, path):
            if "file" in files.protocol:  # stores have no folders to make
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            files.put_file(str(file), path)
        file.unlink()

    def remove(self, name: str) -> None:
        """Remove a file, where it is there; raises StoreError."""
        try:
            with _reached(self.address(name)) as (files, path):
                files.rm_file(path)
        except FileNotFoundError:
            pass


@contextmanager
def _reached(address: str) -> Iterator[tuple[AbstractFileSystem, str]]:
    """Give the file system of an address and the path therein, asked anew each time: a fork must not keep its socket.

    Raises:
        FileNotFoundError: as the block does.
        StoreError: where the protocol's library is missing, or whatever else a store's own library raises.
    """
    from fsspec.core import url_to_fs  # not above, so that folders do without

    try:
        yield url_to_fs(address)
    except (FileNotFoundError, DataError):
        raise
    except ImportError as error:
        remedy = "pip install 'mars-pl[shards]', or the package that it names"
        raise StoreError(
            f"{address}: its protocol needs a package that is not here ({_said(error)}); {remedy}"
        ) from None
    except Exception as error:
        if not is_url(address):  # a disk's refusal is told elsewhere
            raise
        if "Protocol not known" in str(error):
            raise StoreError(f"{address}: no such protocol; name a path, or s3://, gs://, https://, …") from None
        remedy = "look at the address, the network and the rights"
        raise StoreError(f"{address}: cannot be reached ({_said(error)}); {remedy}") from None


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
