"""A recipe as a table on the terminal: what the run would do, what is published, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mars_pl.commands.recipe.planned import Recipe
from mars_pl.commands.recipe.published import Published, differences

DIFFERS = "≠"
DASH = "–"

OWN_SETTING = "a setting of your own"
"""Why something differs that this project does as published."""


def recipe_table(recipe: Recipe, about: str, published: Published | None) -> Group:
    """Return a fit's heading, table and notes.

    Args:
        recipe: of the fit.
        about: which fit it is, ``segment mars deeplabv2_resnet50``.
        published: to be shown beside it, where there is one.
    """
    different = differences(recipe, published) if published else []
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("here", no_wrap=True)
    if published:
        table.add_column("published", no_wrap=True)
        table.add_column("", no_wrap=True)
    ours = {**recipe.rows, **recipe.training_set}
    said = {**published.rows, **published.training_set} if published else {}
    for name in dict.fromkeys([*ours, *said]):
        if ours.get(name) is None and said.get(name) is None and name not in ("steps", "epochs"):
            continue
        shown = recipe.batch if name == "batch" else words(ours.get(name))
        row = [Text(name), Text(shown)]
        if published:
            row += [
                Text(words(said[name]) if name in said else ""),
                Text(DIFFERS if name in different else "", "bold yellow"),
            ]
        table.add_row(*row)
    notes = list(recipe.notes)
    if published:
        notes = [f"published: {published.source}", *published.notes, *notes]
        notes += _reasons(different, published)
    return Group(Text(about, "bold"), table, *(Text(note) for note in notes), Text(""))


def _reasons(different: Sequence[str], published: Published) -> list[str]:
    """Why rows differ, a line a reason."""
    rows: dict[str, list[str]] = {}
    for name in different:
        rows.setdefault(published.deviations.get(name, OWN_SETTING), []).append(name)
    return [f"{DIFFERS} {', '.join(names)}: {reason}" for reason, names in rows.items()]


def words(value: Any) -> str:
    """Return a value as it is printed: thousands apart, no more digits than it has, a dash for nothing."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
    return ", ".join(map(words, value)) if isinstance(value, list | tuple) else str(value)
