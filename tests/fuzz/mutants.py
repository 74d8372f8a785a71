"""Mutants of a valid file: bytes flipped, cut, inserted, doubled, numbers replaced by extremes."""

from __future__ import annotations

import re

from hypothesis import strategies as st

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1)
WORDS = (
    b"0",
    b"-1",
    b"1e999",
    b"nan",
    b"9" * 30,
    b"9" * 5000,
    b"",
    b"null",
    b"[" * 200,
    b"{}",
    b"\0",
    b"\xff\xfe",
    b"[]",
)
TOKEN = re.compile(rb"\"[^\"]*\"|-?\d+\.?\d*")


@st.composite
def mutants(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw one to three changes of a file's bytes."""
    made = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        _change(draw, made)
    return bytes(made)


def _change(draw: st.DrawFn, made: bytearray) -> None:
    place = draw(st.integers(0, max(len(made) - 1, 0)))
    length = draw(st.sampled_from((1, 2, 4, 8, 16, 64)))
    kind = draw(st.sampled_from(("flip", "cut", "drop", "insert", "double", "number", "word", "move")))
    if kind == "flip" and made:
        made[place] ^= 1 << draw(st.integers(0, 7))
    elif kind == "cut":
        del made[place:]
    elif kind == "drop":
        del made[place : place + length]
    elif kind == "insert":
        made[place:place] = draw(st.binary(min_size=1, max_size=16))
    elif kind == "double":
        made[place:place] = bytes(made[place : place + length]) * draw(st.sampled_from((1, 2, 300)))
    elif kind == "number":
        width = draw(st.sampled_from((1, 2, 4, 8)))
        value = draw(st.sampled_from(EXTREMES)) & (2 ** (8 * width) - 1)
        made[place : place + width] = value.to_bytes(width, draw(st.sampled_from(("little", "big"))))
    elif kind == "word":
        found = list(TOKEN.finditer(made))
        if found:
            match = found[draw(st.integers(0, len(found) - 1))]
            made[match.start() : match.end()] = draw(st.sampled_from(WORDS))
    elif kind == "move":
        part = made[place : place + length]
        del made[place : place + length]
        other = draw(st.integers(0, len(made)))
        made[other:other] = part
