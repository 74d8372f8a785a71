"""Whether a file of `torch.save` nests tuples so deep that Python would crash when one of them becomes a key."""

from __future__ import annotations

import pickle
import pickletools
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

DEEPEST = 64
"""Tuples within one another; a tensor takes four."""

LEGACY = 5
"""Pickles at the beginning of a file of torch before 1.6: magic number, version, system, content, keys of storages."""

UNHASHED = ("APPEND", "APPENDS", "LIST", "SETITEM", "SETITEMS", "DICT", "ADDITEMS")
"""What makes lists, dicts and sets, at which a walk along tuples ends: they have no hash."""

MARK = -1
"""Stands on the stack where a list of unknown length begins."""


def check_depth(path: Path) -> None:
    """Follow the pickles of a file without making anything of them.

    Tuples are hashed by recursion in C, which nothing bounds: one that is 100,000 deep ends the process.

    Raises:
        ValueError: where they are nested too deep, or the file is damaged.
    """
    for file in _pickles(path):
        _follow(file)


def _pickles(path: Path) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("data.pkl"):
                    with archive.open(name) as member:
                        yield member
        return
    with path.open("rb") as file:
        for _ in range(LEGACY):
            if not file.peek(1):
                return
            yield file


def _follow(file: IO[bytes]) -> None:
    """Follow one pickle; of whatever is on its stack the depth is known."""
    stack: list[int] = []
    memo: dict[Any, int] = {}
    for code, argument, _ in pickletools.genops(file):
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if argument is None else argument] = stack[-1] if stack else 0
        elif code.name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo.get(argument, 0))
        elif code.name == "DUP":
            stack.append(stack[-1] if stack else 0)
        else:
            taken = _take(stack, code)
            made = 1 + max(taken) if taken and code.name not in UNHASHED else 0
            if made > DEEPEST:
                raise pickle.UnpicklingError(f"it is nested more than {DEEPEST} deep")
            stack += [MARK if made_of is pickletools.markobject else made for made_of in code.stack_after]


def _take(stack: list[int], code: pickletools.OpcodeInfo) -> Sequence[int]:
    """Take from the stack what an instruction does: so many items, or all down to the last mark and what lies below."""
    before = code.stack_before
    taken: list[int] = []
    if pickletools.markobject in before:
        while stack and (top := stack.pop()) != MARK:
            taken.append(top)
        before = before[: before.index(pickletools.markobject)]
    for _ in before:
        if stack:
            taken.append(max(stack.pop(), 0))
    return taken
