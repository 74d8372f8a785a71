"""What came of a fault, and the table of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDTH = 160


@dataclass(frozen=True)
class Outcome:
    """What came of one fault.

    Attributes:
        fault: that was caused.
        came: what was seen.
        right: whether that is as it should be.
        said: all that the command said, shown where it is not.
        same: whether the bytes are those of an undisturbed job; None where that is not the question.
    """

    fault: str
    came: str
    right: bool
    said: str = ""
    same: bool | None = None


def last_line(said: str) -> str:
    """Return the last line that a command has said."""
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing"


def show(outcomes: Iterable[Outcome]) -> int:
    """Print outcomes as they come, then as a table; returns how many are not right."""
    console, found = Console(width=WIDTH), []
    for outcome in outcomes:
        found.append(outcome)
        console.print(f"{'right' if outcome.right else 'WRONG'}  {outcome.fault}: {outcome.came}", markup=False)
        if not outcome.right:
            console.print(outcome.said[-4000:], markup=False)
    table = Table("fault", "what came of it", "bytes", "")
    words = {True: "equal", False: "NOT equal", None: ""}
    for one in found:
        table.add_row(escape(one.fault), escape(one.came), words[one.same], "right" if one.right else "WRONG")
    console.print(table)
    wrong = sum(not one.right for one in found)
    console.print(f"{len(found)} faults, {wrong} of them not as they should be", markup=False)
    return wrong
