"""What is wrong with a data set: all of it for who looks it over, the first fault for who only has to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from datamodules.errors import DataError


class Fault(NamedTuple):
    """One fault.

    Attributes:
        kind: faults of a kind are counted together.
        name: the image, file or class at fault.
        text: one line that names culprit and remedy.
        note: a person should know it, but a data set may be meant so: nothing is refused for it.
    """

    kind: str
    name: str
    text: str
    note: bool = False


def refuse(faults: Sequence[Fault]) -> None:
    """Raise DataError with the first fault's line and how many more of its kind there are, if there is any.

    Notes are no reason to.
    """
    faults = [fault for fault in faults if not fault.note]
    if faults:
        more = sum(fault.kind == faults[0].kind for fault in faults) - 1
        raise DataError(faults[0].text + (f" ({more} more like it)" if more else ""))
