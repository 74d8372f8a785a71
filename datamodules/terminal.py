"""Where tables and lines are printed: one console, which takes names for names; numbers of bytes in words."""

from __future__ import annotations

import unicodedata

from rich.console import Console

UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Kinds of characters that move the cursor, turn the line around, end it or have no UTF-8."""

JOINER = "\u200d"
"""Between the parts of one emoji."""

GIB = 2**30
"""Bytes in a GiB."""


def terminal(*, stderr: bool = False, width: int = 110) -> Console:
    """Return a console that prints `[bold]` and `:cat:` in the name of a class or an image as they stand.

    Args:
        stderr: print there.
        width: columns where the output is a file or a pipe; a terminal has its own.
    """
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = width
    return console


def on_one_line(text: str) -> str:
    r"""Return a text with line breaks, control characters and what is not UTF-8 written as \n, \x1b, \udce4.

    Names of files may hold any of them.
    """
    return "".join(
        repr(letter)[1:-1] if letter != JOINER and unicodedata.category(letter) in UNSEEN else letter for letter in text
    )


def size_words(count: int) -> str:
    """Return a number of bytes for people."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / 2**20:.1f} MiB"
