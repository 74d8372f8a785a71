"""The rows of a run as one table on the terminal, and the words in which a number and its circumstances are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mars_pl.commands.row_names import last_round, row_name

TITLES = {
    "pseudo": ("Yᵇ", "pseudo labels"),
    "pseudo-baseline": ("Yᵇ", "of the baseline"),
    "debiased": ("Yᵈᵇ", "debiased labels"),
    "complemented": ("Yᶜᵒ", "complemented labels"),
    "labels-baseline": ("", "labels of the baseline"),
    "labels-final": ("", "labels of MARS"),
    "baseline": ("", "baseline network"),
    "mars": ("", "MARS by Eq. 6"),
    "final": ("", "MARS network"),
    "supervised": ("", "full supervision"),
}
DASH = "–"


def title(name: str) -> str:
    """Return a row's title with its symbol, e.g. "Yᵇ pseudo labels"; a row of another name goes by that name."""
    row = row_name(name)
    symbol, words = TITLES.get(row.plain, ("", row.plain.replace("-", " ").replace("_", " ")))
    later = "" if row.number == 1 else f", round {row.number}"
    return f"{symbol} {words}{later}{'' if row.seed is None else f', seed {row.seed}'}".strip()


def is_label(name: str) -> bool:
    """Whether a row is about labels, not about what a network predicts on other images."""
    return name.split("-", 1)[0] in ("pseudo", "debiased", "complemented", "labels")


def percent(value: float | None, digits: int = 1) -> str:
    """Return a fraction in per cent without the sign, a dash where it was not measured."""
    return DASH if value is None else f"{100 * value:.{digits}f}"


def fraction(value: float | None) -> str:
    """Return a fraction with three digits, a dash where it was not measured."""
    return DASH if value is None else f"{value:.3f}"


def signed(value: float | None, digits: int = 3) -> str:
    """Return a difference of fractions with its sign; nothing where there is none."""
    if value is None:
        return ""
    words = f"{abs(value):.{digits}f}"
    return ("±" if not float(words) else "+" if value > 0 else "−") + words


def signed_points(value: float | None) -> str:
    """Return a difference of fractions in percentage points with its sign; nothing where there is none."""
    return "" if value is None else signed(100 * value, 1)


def scored_on(row: Mapping[str, Any]) -> str:
    """Return split and number of images, e.g. "train, 800 images"."""
    images = row.get("images")
    return f"{row.get('split') or DASH}, {DASH if images is None else f'{images:,}'} images"


def judged_on(selection: Mapping[str, Any]) -> str:
    """Return what the target shares were measured on, e.g. "train_aug, 790 images with truth"; nothing if not known."""
    images = selection.get("images_with_truth")
    return "" if images is None else f"{selection.get('split') or DASH}, {images:,} images with truth"


def measured_by(row: Mapping[str, Any]) -> str:
    """Return network, views and refinement, e.g. "teacher, scales 1 0.5, flip, crf"; labels have no network."""
    refinement = row.get("refinement") or f"refinement {DASH}"  # nobody said
    parts = [row.get("network"), *views(row), "no refinement" if refinement == "none" else refinement]
    return ", ".join(filter(None, parts))


def views(row: Mapping[str, Any]) -> list[str]:
    """Return what is known of how a network looked at the images: scales, mirror images, windows, aligned corners."""
    words = []
    if scales := row.get("scales"):
        words.append(f"scale{'s' * (len(scales) > 1)} {' '.join(f'{scale:g}' for scale in scales)}")
    elif row.get("multi_scale"):
        words.append("multi-scale")
    if row.get("flip") is not None:
        words.append("flip" if row["flip"] else "no flip")
    if window := row.get("window"):
        words.append("windows of {} every {}".format(*window))
    if row.get("resampling") == "corners":
        words.append("corners aligned")
    return words


def provenance(row: Mapping[str, Any]) -> str:
    """Return everything a figure has to say about itself: split, images, network, scales, refinement."""
    return f"{scored_on(row)}, {measured_by(row)}"


def rows_table(rows: Mapping[str, Mapping[str, Any] | None]) -> Table:
    """Return the rows as a table for the terminal: labels first, then networks; what was not measured is a dash."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("scored\non")
    for heading in ("mIoU\n%", "FP", "FN", "com-\npanion", "kept"):
        table.add_column(heading, justify="right", no_wrap=True, vertical="top")
    table.add_column("by", min_width=13)
    previous_is_label, final = True, last_round(rows)
    for name, row in rows.items():
        if previous_is_label and not is_label(name):
            table.add_section()
        previous_is_label = is_label(name)
        if row is None:
            table.add_row(Text(title(name), style="dim"), *[Text(DASH, style="dim")] * 7)
            continue
        first = Text(title(name), style="bold" if name == final else "")
        if row.get("note"):
            first.append(f"\n  {row['note']}", style="dim italic")
        images = row.get("images")
        table.add_row(
            first,
            f"{row.get('split') or DASH} {DASH if images is None else images}",
            Text(percent(row.get("miou")), style="bold"),
            *[fraction(row.get(field)) for field in ("fp", "fn", "companion", "kept")],
            Text(measured_by(row)),
        )
    return table


def scored_classes(rows: Mapping[str, Mapping[str, Any] | None]) -> str:
    """Return a line that names the classes of the mean where it is not taken over all, an empty string otherwise."""
    for row in rows.values():
        scored = row.get("scored") if row else None
        if isinstance(scored, str):
            return f"mean over {scored}"
        if isinstance(scored, Sequence) and scored:
            return f"mean over {len(scored)} classes: {', '.join(map(str, scored))}"
    return ""
