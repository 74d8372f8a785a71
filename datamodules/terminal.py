"""Where tables and lines are printed: one console, which takes names for names and not for its own marks."""

from __future__ import annotations

from rich.console import Console


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
