"""How pages are put together: templates, styles and scripts, all within the one file that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mars_pl.commands.durations import duration
from mars_pl.commands.metrics_table import (
    DASH,
    TITLES,
    fraction,
    is_label,
    measured_by,
    percent,
    provenance,
    scored_on,
    signed,
    signed_points,
    title,
    views,
)

ASSETS = Path(__file__).with_name("assets")

STYLES = ("page.css", "images.css")

SCRIPTS = ("elements.js", "tables.js", "pictures.js", "images.js", "viewer.js", "confusion.js")
"""In the order in which they know one another."""


def render(template: str, *folders: Path, **values: Any) -> str:
    """Return a page.

    Args:
        template: its name.
        folders: where templates lie beside the report's own.
        values: what the template names; `told` is what the scripts read, numbers and names alone.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, ASSETS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent, "fraction": fraction, "title": title, "provenance": provenance, "scored_on": scored_on,
        "measured_by": measured_by, "duration": duration, "views": views, "signed": signed,
        "signed_points": signed_points,
    }  # fmt: skip
    environment.globals |= {
        "dash": DASH,
        "titles": TITLES,
        "is_label": is_label,
        "short_title": short_title,
        "as_named": str,
    }
    environment.globals |= {"styles": _together(STYLES), "scripts": _together(SCRIPTS)}
    return environment.get_template(template).render(values)


def short_title(name: str) -> str:
    """Return a row's symbol where it has one to itself, else its title."""
    symbol = "Yᵇ base" if name == "pseudo-baseline" else TITLES.get(name, ("", ""))[0]
    return symbol or title(name).removesuffix(" network")


def _together(names: tuple[str, ...]) -> Markup:
    return Markup("".join((ASSETS / name).read_text(encoding="utf-8") for name in names))
