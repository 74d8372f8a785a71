"""What the JSON files of a run hold, so that one that was cut short or changed by hand is named and not drawn."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from mars_pl.commands.json_files import read_json

Shape = Callable[[str, Any], Iterator[str]]
"""Given a value's name and the value: yields what is wrong with it, in words."""

LARGEST = 1e15
"""Beyond any figure, count or time of a run."""


def read_figures(path: Path, shape: Shape, remedy: str = "delete it and run its stage again") -> Any:
    """Read a JSON file of a run; NaN and infinity become None: what could not be measured.

    Args:
        path: of the file.
        shape: what it has to be.
        remedy: what to do where it is not.

    Raises:
        DataError: where it is missing, no JSON, or of another shape.
    """
    content = without_nan(read_json(path))
    odd = next(shape("", content), None)
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        odd = "a text in it is no Unicode"
    if odd:
        raise DataError(f"{path}: {odd.strip()}; {remedy}")
    return content


def without_nan(value: Any) -> Any:
    """Return plain values with None for what could not be measured: NaN is no JSON."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def number(name: str, value: Any) -> Iterator[str]:
    """A figure, a count or a time, 0 or above."""
    if not isinstance(value, int | float) or not 0 <= value <= LARGEST:
        yield _wrong(name, value, "no number from 0 on")


def text(name: str, value: Any) -> Iterator[str]:
    """A name or words."""
    if not isinstance(value, str):
        yield _wrong(name, value, "no text")


def anything(name: str, value: Any) -> Iterator[str]:
    """Whatever JSON holds."""
    return iter(())


def or_null(shape: Shape) -> Shape:
    """What was not measured, or not said, is null."""

    def check(name: str, value: Any) -> Iterator[str]:
        return iter(()) if value is None else shape(name, value)

    return check


def list_of(shape: Shape, length: int | None = None) -> Shape:
    """A list whose items are all of a shape, of any length where none is said."""

    def check(name: str, value: Any) -> Iterator[str]:
        if not isinstance(value, list) or length not in (None, len(value)):
            yield _wrong(name, value, "no list" if length is None else f"no list of {length}")
            return
        for place, item in enumerate(value):
            yield from shape(f"{name}[{place}]", item)

    return check


def table_of(shape: Shape) -> Shape:
    """A table whose values are all of a shape."""

    def check(name: str, value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            yield _wrong(name, value, "no table")
            return
        for key, item in value.items():
            yield from shape(f"{name}.{key}" if name else str(key), item)

    return check


def fields(required: tuple[str, ...] = (), **shapes: Shape) -> Shape:
    """A table with fields of known shapes; others may stand beside them."""

    def check(name: str, value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            yield _wrong(name, value, "no table")
            return
        yield from (f"{name} lacks {key}" for key in required if key not in value)
        for key, shape in shapes.items():
            if key in value:
                yield from shape(f"{name}.{key}" if name else key, value[key])

    return check


def text_or_list(name: str, value: Any) -> Iterator[str]:
    """One name or several."""
    return text(name, value) if isinstance(value, str) else list_of(text)(name, value)


def _wrong(name: str, value: Any, what: str) -> str:
    told = json.dumps(value, ensure_ascii=True, default=str)
    return f"{name[:100] or 'its content'} is {told if len(told) <= 40 else told[:40] + '…'}, {what}"


FIGURES = table_of(or_null(number))

ROW = fields(
    split=or_null(text), images=or_null(number), miou=or_null(number), fp=or_null(number), fn=or_null(number),
    fp_all=or_null(number), fn_all=or_null(number), companion=or_null(number), kept=or_null(number),
    refinement=or_null(text), network=or_null(text), note=or_null(text), resampling=or_null(text),
    scored=or_null(text_or_list), scales=or_null(list_of(number)),
    window=or_null(list_of(number, 2)), per_class=or_null(table_of(or_null(FIGURES))),
)  # fmt: skip

SELECTION = fields(
    target_share=or_null(FIGURES), target_share_before=or_null(FIGURES), candidates=or_null(number),
    targets=or_null(number), between=or_null(number), biased=or_null(number), split=or_null(text),
    images_with_truth=or_null(number),
)  # fmt: skip

SECONDS = table_of(number)

SWEEP = fields(
    split=or_null(text), images=or_null(number), refinement=or_null(text), background_scores=or_null(table_of(number)),
    scores=list_of(
        fields(("background",), background=number, miou=or_null(number), fp=or_null(number), fn=or_null(number))
    ),
)  # fmt: skip

SWEPT_ROW = or_null(table_of(or_null(number)))

SWEEPS = fields(
    ("sweeps",),
    sweeps=list_of(
        fields(
            ("of", "settings", "rows", "start", "points"), of=text, settings=table_of(list_of(anything)),
            rows=table_of(ROW), start=table_of(SWEPT_ROW),
            points=list_of(
                fields(
                    ("settings", "seconds"), settings=table_of(anything), seconds=SECONDS,
                    target_share=or_null(number), target_share_before=or_null(number), debiased=SWEPT_ROW,
                    final=SWEPT_ROW,
                )
            ),
        )
    ),
)  # fmt: skip
"""What `mars sweep` leaves."""

DRAWN = fields(
    ("figures",),
    figures=list_of(
        fields(
            ("name", "title", "caption", "files", "of"), name=text, title=text, caption=text, files=list_of(text),
            of=text, heads=list_of(text), words=number, lines=list_of(fields(("cells", "strong"), cells=list_of(text))),
        )
    ),
)  # fmt: skip
"""What `mars figures` leaves."""

REMOVED = fields(removed=FIGURES)

MANIFEST = fields(
    root=text, classes=or_null(list_of(text)), choices=or_null(table_of(anything)), rows=table_of(text),
    stages=table_of(or_null(text)), labels=table_of(or_null(text)), weights=or_null(text),
)  # fmt: skip

METRICS = fields(
    ("rows", "data"), rows=table_of(or_null(ROW)), choices=or_null(table_of(anything)), data=or_null(text),
)  # fmt: skip
