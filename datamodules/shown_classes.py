"""What is said at the start of a run where masks contradict image labels, or image labels leave nothing to learn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from lightning_utilities.core.rank_zero import rank_zero_warn

from datamodules.contradictions import CONTRADICTIONS, DENIED, OFTEN
from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.image_labels import ImageLabels

NAMED = 20
"""Classes that are named of those that no image shows."""


def warn_of_contradictions(faults: Sequence[Fault], judged: int) -> None:
    """Warn of masks, labels or scores that contradict the image labels, with their share and the first of them.

    Masks that only lack a class are passed over where they are few, as in VOC and SBD.

    Args:
        faults: what was found in a list's masks, labels and scores.
        judged: images whose files were held against image labels.
    """
    for kind in CONTRADICTIONS:
        found = [fault for fault in faults if fault.kind == kind]
        share = len({Path(fault.name).stem for fault in found}) / max(judged, 1)
        if found and (kind == DENIED or share > OFTEN):
            rank_zero_warn(f"{kind}: {share:.0%} of {judged:,} images; {found[0].text} (`mars check` lists all)")


def check_shown(
    split: str, image_labels: ImageLabels | None, class_names: Sequence[str], wanted: Collection[str], labelled: bool
) -> None:
    """Warn of classes that no image of a fit shows.

    Args:
        split: name of the list.
        image_labels: of its images; None where they have none.
        class_names: background first.
        wanted: names of the classes that are asked about.
        labelled: the fit learns from label files, beside the image labels.

    Raises:
        DataError: where no image shows any class, and the image labels are all there is to learn from.
    """
    if image_labels is None:
        return
    counts = image_labels.counts()
    if not counts.any():
        fault = f"{split}: the image labels of {len(image_labels):,} images name no class"
        if not labelled:
            raise DataError(f"{fault}, so there is nothing to learn; write the classes into the image labels")
        rank_zero_warn(f"{fault}; what is learnt comes from the label files alone")
        return
    unseen = [name for name, count in zip(class_names[1:], counts.tolist(), strict=True) if not count]
    if named := [name for name in unseen if name in wanted]:
        more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        rank_zero_warn(f"{split}: no image shows {', '.join(named[:NAMED])}{more}; nothing can be learnt of these")
