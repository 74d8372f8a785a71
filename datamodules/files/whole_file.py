"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datamodules.errors import DataError

REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
"""What a disk answers that takes no more."""

OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How what is written in Rust tells of the system's errors."""

SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")
"""How numpy tells that the disk took a part; it does not say why."""

LONGEST = 255
"""Bytes of a file's name."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name beside ``path`` to write to, and rename it to ``path`` once the block has ended well.

    The folder is made; what a block that raised has written is removed. Whatever the block writes with (safetensors
    makes files that only their owner reads), the file has the mode that any new file has.

    Raises:
        DataError: before the block, where ``path`` is a folder, or a file is in its folder's place.
        OSError: where the disk refused, which names ``path`` whatever the block's library makes of it.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name a file")
    partial = make_folder(path.parent) / _partial_name(path.name)
    partial.unlink(missing_ok=True)
    partial.touch()
    mode = stat.S_IMODE(partial.stat().st_mode)
    try:
        yield partial
        partial.chmod(mode)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        refused = _refusal(error)
        if refused:
            raise OSError(refused, os.strerror(refused), str(path)) from error
        raise
    partial.replace(path)


def _refusal(error: BaseException) -> int:
    """Return the system's number of a disk's refusal, or 0: torch hides it, safetensors and numpy have words for it."""
    cause: BaseException | None = error
    while cause is not None:
        found = OS_ERROR.search(str(cause))
        number = int(found[1]) if found else cause.errno if isinstance(cause, OSError) else None
        if number is None and SHORT_WRITE.search(str(cause)):
            return errno.ENOSPC
        if number in REFUSALS:
            return number
        cause = cause.__context__
    return 0


def _partial_name(name: str) -> str:
    """Return a name that no other file has: a name may have 255 bytes, so that the longest cannot be added to."""
    longer = os.fsencode(f"{name}.part")
    return os.fsdecode(longer) if len(longer) <= LONGEST else f"{hashlib.sha256(longer).hexdigest()}.part"


def make_folder(folder: Path) -> Path:
    """Make a folder and those above it, where they are not there; returns it.

    Raises:
        DataError: where a file is in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataError(f"{folder}: a file is in the place of this folder; name another") from None
    return folder
