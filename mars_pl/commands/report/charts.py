"""Curves and scatters as inline SVG, coloured by the page's style sheet so that they follow its theme."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from mars_pl.commands.report.selection import Candidate

_LEFT, _TOP, _BOTTOM = 38, 14, 44
_LETTER = 7.4
"""Width of a letter of a curve's name, about, in pixels: the names stand at the right."""
_DOTS = 30
"""Points of a curve up to which each is marked."""


def curves(
    at: Sequence[float],
    series: Sequence[tuple[str, str, Sequence[float | None]]],
    *,
    axis: str,
    marks: Sequence[tuple[float, str]] = (),
    fractions: bool = True,
    size: tuple[int, int] = (500, 300),
) -> Markup:
    """Draw curves over one axis, each named at its end.

    Args:
        at: places on the axis, rising.
        series: (name, style class, values) of each curve; None leaves its point out.
        axis: the axis' title.
        marks: (place, words) of upright lines.
        fractions: values are in [0, 1] and shown in per cent from zero; otherwise as they are, losses for instance.
        size: width and height in pixels.
    """
    width, height = size
    right = 14 + _LETTER * max((len(name) for name, _, _ in series), default=5)
    low, high = min(at), max(at)
    low_x, high_x = _LEFT, width - right
    ticks = _ticks([value for _, _, line in series for value in line if value is not None], fractions)
    bottom, top = ticks[0], ticks[-1]

    def x(place: float) -> float:
        return low_x + (place - low) / ((high - low) or 1.0) * (high_x - low_x)

    def y(value: float) -> float:
        return _TOP + (top - value) / (top - bottom) * (height - _TOP - _BOTTOM)

    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(axis)}">']
    for tick in ticks:
        words = f"{100 * tick:.0f}" if fractions else f"{tick:g}"
        parts.append(f'<line class="rule" x1="{low_x}" x2="{high_x:.1f}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(f'<text class="tick" x="{low_x - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{words}</text>')
    step = max(1, int(np.ceil(len(at) / 8)))
    for place in at[::step]:
        parts.append(f'<text class="tick" x="{x(place):.1f}" y="{height - 20}" text-anchor="middle">{place:g}</text>')
    parts.append(
        f'<text class="tick" x="{(low_x + high_x) / 2:.1f}" y="{height - 3}" text-anchor="middle">{escape(axis)}</text>'
    )
    for index, (place, words) in enumerate(marks):
        parts.append(
            f'<line class="mark" x1="{x(place):.1f}" x2="{x(place):.1f}" y1="{_TOP}" y2="{height - _BOTTOM}"/>'
        )
        parts.append(
            f'<text class="tick ink" x="{x(place) + 5:.1f}" y="{_TOP + 10 + 15 * index}">{escape(words)}</text>'
        )
    ends: list[tuple[float, str, str]] = []
    for name, style, line in series:
        points = [(x(place), y(value)) for place, value in zip(at, line, strict=True) if value is not None]
        if not points:
            continue
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline class="curve {style}" points="{path}"/>')
        if len(points) <= _DOTS:
            parts += [f'<circle class="dot {style}" cx="{px:.1f}" cy="{py:.1f}" r="2.6"/>' for px, py in points]
        ends.append((points[-1][1], name, style))
    previous = -100.0
    for end, name, style in sorted(ends):
        previous = max(end, previous + 15)
        parts.append(f'<text class="name {style}" x="{high_x + 8:.1f}" y="{previous + 4:.1f}">{escape(name)}</text>')
    return Markup("".join([*parts, "</svg>"]))


def _ticks(values: Sequence[float], fractions: bool) -> list[float]:
    """Round numbers of which the first and the last enclose the values: of fractions, from zero to one at most."""
    if fractions:
        top = min(1.0, max(values, default=1.0) + 0.02)
        step = 0.2 if top > 0.5 else 0.1
        return [float(step * count) for count in range(int(np.ceil(top / step - 1e-9)) + 1)]
    low, high = min(values), max(values)
    rough = (high - low) / 4 or abs(high) / 4 or 1.0
    unit = 10.0 ** np.floor(np.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
    first, last = np.floor(low / step), np.ceil(high / step)
    return [float(step * count) for count in np.arange(first, max(last, first + 1) + 1)]


def scatter(points: NDArray[np.float32], candidates: Sequence[Candidate], size: tuple[int, int] = (420, 300)) -> Markup:
    """Draw candidates in the plane: colour says target, biased or between; filled ones were selected.

    Args:
        points: float32 (N, 2).
        candidates: the N candidates.
        size: width and height in pixels.
    """
    width, height = size
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.maximum(high - low, 1e-9)
    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="candidates in the plane">']
    order = sorted(
        range(len(candidates)), key=lambda i: (candidates[i].kind in ("target", "biased"), candidates[i].selected)
    )
    for i in order:
        candidate = candidates[i]
        x, y = 14 + scaled[i, 0] * (width - 28), 14 + (1 - scaled[i, 1]) * (height - 28)
        state = "chosen" if candidate.selected else "left"
        iou = "no truth" if candidate.iou is None else f"IoU {candidate.iou:.2f}"
        words = escape(f"{candidate.image_id}: {iou}, distance {candidate.distance:.3f}")
        parts.append(
            f'<circle class="point {candidate.kind} {state}" cx="{x:.1f}" cy="{y:.1f}" r="4">'
            f"<title>{words}</title></circle>"
        )
    return Markup("".join([*parts, "</svg>"]))
