"""What masks, labels and scores hold against what the image labels say: codes of another order, 255 in place of 1."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.faults import Fault

DENIED = "class that the image label denies"
EMPTY = "mask of 255 in place of classes"
LACKING = "mask without a class of its image label"
CONTRADICTIONS = (DENIED, EMPTY, LACKING)

OFTEN = 0.1
"""Share of masks above which a class that they lack is a fault: 3 % of SBD's lack one, an object under others' 255."""


class Named(Protocol):
    """A file, as far as a fault tells of it."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as a Path's


Against = Callable[[Named, NDArray[np.integer[Any]]], Iterable[Fault]]
"""(File, codes that it holds) → what contradicts its image's label."""


@dataclass(frozen=True)
class Shown:
    """What the images of a data set show.

    Args:
        class_names: background first.
        read: an image, in whatever way the images are told apart → label ids of its classes; DataError or KeyError
            where nobody knows.
    """

    class_names: Sequence[str]
    read: Callable[[Any], NDArray[np.integer[Any]]]

    def against(self, image: Any, ignored: int | None, *, complete: bool = False) -> Against | None:
        """Return what judges a file of an image; None where its label is not known.

        Args:
            image: as `read` takes it.
            ignored: code of pixels that are left out; None where there are none, as in scores.
            complete: the file holds every class of the image, as truth does and pseudo labels do not.
        """
        try:
            said = set(self.read(image).tolist())
        except (DataError, KeyError):
            return None
        return lambda path, codes: self._judge(path, {int(code) for code in codes}, said, ignored, complete)

    def _judge(
        self, path: Named, codes: set[int], said: set[int], ignored: int | None, complete: bool
    ) -> Iterator[Fault]:
        held = {code for code in codes if 0 < code < len(self.class_names)}
        words = f"its image label says {self._words(said)}"
        if denied := held - said:
            text = f"{path}: holds {self._words(denied)}, {words}; are its codes in the order of the class names?"
            yield Fault(DENIED, path.name, text)
        elif said and not held and ignored in codes:
            text = f"{path}: holds {ignored}, which is left out, and no class, {words}; write 1 for the first class"
            yield Fault(EMPTY, path.name, text)
        elif complete and (lacking := said - held):
            text = f"{path}: holds no {self._words(lacking)}, {words}; draw it, or mend the image label"
            yield Fault(LACKING, path.name, text)

    def _words(self, classes: set[int]) -> str:
        return " and ".join(self.class_names[index] for index in sorted(classes)) or "none of the classes"


def weighed(faults: Sequence[Fault], judged: Mapping[str, int]) -> list[Fault]:
    """Return faults whose contradictions say how common they are, and are notes where a data set may well have them.

    Args:
        faults: of a data set.
        judged: kind of contradiction → how many masks were held against image labels.
    """
    counts = {kind: sum(fault.kind == kind for fault in faults) for kind in CONTRADICTIONS}
    result = []
    for fault in faults:
        if fault.kind in counts:
            share = counts[fault.kind] / max(judged.get(fault.kind, 0), 1)
            text = f"{fault.text} ({share:.0%} of {judged.get(fault.kind, 0):,} masks)"
            fault = Fault(fault.kind, fault.name, text, note=fault.kind != DENIED and share <= OFTEN)
        result.append(fault)
    return result
