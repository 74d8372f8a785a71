"""Files fetched by their addresses: resumed where they were broken off, known by their sums, under a progress bar."""

from __future__ import annotations

import hashlib
from http.client import HTTPException
from pathlib import Path
from ssl import SSLError
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from datamodules.errors import DataError
from datamodules.prepare.preparing import disk_faults
from datamodules.terminal import terminal

PIECE = 1 << 20
"""Bytes read at a time."""

SILENCE = 60.0
"""Seconds without a byte after which a server is given up."""


def fetch(address: str, path: Path, md5: str) -> None:
    """Fetch a file; what an earlier try left under `<name>.part` is gone on with, where the server can do that.

    Args:
        address: of the file: http, https, ftp or file.
        path: where it is to lie; a file that is there with the right sum is left alone.
        md5: of the whole file, in hexadecimal digits.

    Raises:
        DataError: where the server cannot be reached or breaks off, the disk refuses, or the sum is another one.
    """
    if path.is_file() and sum_of(path) == md5:
        return
    partial = path.with_name(f"{path.name}.part")
    with disk_faults(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        _transfer(address, partial)
    if (found := sum_of(partial)) != md5:
        partial.unlink()
        raise DataError(f"{address}: md5 {found}, not {md5}: damaged or another file; try again or name a mirror")
    partial.replace(path)


def sum_of(path: Path) -> str:
    """Return the md5 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _transfer(address: str, partial: Path) -> None:
    there = partial.stat().st_size if partial.is_file() else 0
    try:
        with _opened(address, there) as answer:
            goes_on = getattr(answer, "status", None) == 206
            with partial.open("ab" if goes_on else "wb") as file, _bar() as bar:
                length = answer.headers.get("Content-Length")
                start = there if goes_on else 0
                total = None if length is None else start + int(length)
                task = bar.add_task(partial.stem, total=total, completed=start)
                _copy(answer, file, bar, task)
    except HTTPError as error:
        if error.code != 416:  # nothing is left to fetch: the sum will tell
            raise DataError(f"{address}: {error.code} {error.reason}; name another address") from None
    except (URLError, HTTPException, SSLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"{address}: {reason}; the same command goes on from where it was broken off") from None


def _opened(address: str, there: int) -> Any:
    headers = {"Range": f"bytes={there}-"} if there and address.startswith("http") else {}
    try:
        return urlopen(Request(address, headers=headers), timeout=SILENCE)
    except ValueError as error:
        raise DataError(f"{address}: no address ({error}); begin it with https:// or file://") from None


def _copy(answer: Any, file: IO[bytes], bar: Progress, task: Any) -> None:
    expected, got = answer.headers.get("Content-Length"), 0
    while piece := answer.read(PIECE):
        file.write(piece)
        got += len(piece)
        bar.advance(task, len(piece))
    if expected is not None and got < int(expected):
        raise ConnectionError(f"broken off after {got:,} of {int(expected):,} bytes")


def _bar() -> Progress:
    console = terminal(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
