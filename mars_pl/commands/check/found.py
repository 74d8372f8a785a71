"""What `mars check` found, put together by kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from datamodules.faults import Fault


class Found(NamedTuple):
    """All that looking something over brought.

    Attributes:
        images: how many were looked over.
        faults: all that is wrong, and what a person should know.
        masks: how many of the images have a mask; None where none were looked for.
    """

    images: int
    faults: list[Fault]
    masks: int | None = None

    @property
    def heading(self) -> str:
        """How much was looked over, in words."""
        masks = "" if self.masks is None else f", {self.masks:,} with masks"
        return f"{self.images:,} image{'' if self.images == 1 else 's'}{masks}"


def group(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Put faults of a kind together, the kind that touches most images first.

    Returns:
        Of each kind its name, how many images (or classes, lists) it touches, the first one's line and all names.
    """
    kinds: dict[str, list[Fault]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).append(fault)
    grouped = [
        {"kind": kind, "count": len(set(names)), "first": found[0].text, "names": names}
        for kind, found in kinds.items()
        for names in [[fault.name for fault in found]]
    ]
    return sorted(grouped, key=lambda entry: -int(entry["count"]))
