"""Zip archives of torch's: their members are stored as they are, so that none can be larger than the file."""

from __future__ import annotations

import zipfile
from typing import IO


def check_stored(file: IO[bytes]) -> None:
    """Check that an archive holds no more bytes than it has; anything but a zip archive passes.

    torch.save never compresses; a few thousand bytes could become gigabytes if they were.

    Raises:
        ValueError: where a member is compressed, or members share bytes so that together they are more.
        zipfile.BadZipFile: where the archive is damaged.
    """
    if not zipfile.is_zipfile(file):
        return
    size = file.seek(0, 2)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    packed = next((member for member in members if member.compress_type != zipfile.ZIP_STORED), None)
    if packed is not None:
        raise ValueError(f"{packed.filename[:80]} is compressed to {packed.file_size:,} bytes; torch stores as it is")
    claimed = sum(member.file_size for member in members)
    if claimed > size or any(member.file_size != member.compress_size for member in members):
        raise ValueError(f"its members claim {claimed:,} bytes, it has {size:,}")
