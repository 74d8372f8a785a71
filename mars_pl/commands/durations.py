"""Times in words: those that were taken, and those that are expected."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a time as a person says it: 48 s, 3 min 10 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rough_duration(seconds: float | None) -> str:
    """Return an expected time, whose seconds nobody knows: 40 s, 12 min, 3.5 h; a dash for None."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{10 * round(seconds / 10)} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
