"""Which images the page shows without being asked: worst and best, most and little removed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from mars_pl.commands.metrics_table import percent
from mars_pl.commands.report.images.choice import LITTLE_REMOVED, choose
from mars_pl.commands.report.images.figures import ImageFigures
from mars_pl.commands.report.images.sets import ImageSet, Judgement

Strip = dict[str, Any]

MOST_REMOVED = "Most removed"
"""Title of the images that lost most."""


def strips(images: ImageSet, measured: Sequence[ImageFigures], count: int) -> list[Strip]:
    """Return titles, what they mean, and the places of the images.

    Args:
        images: the set.
        measured: the figures of its images.
        count: how many images are shown by what was removed, and half as many by their IoU.
    """
    if images.compared:
        return _compared(images.judged, measured, count)
    place = {image.image_id: index for index, image in enumerate(measured)}
    order = by_iou(measured, images.judged.keys[0])
    each = min(count // 4, len(order) // 2)
    found: list[Strip] = []
    if each:
        words = f"by the mean IoU of {images.judged.title} over the classes that the image or the mask holds"
        found.append({"title": "Worst", "note": f"The {each} lowest {words}.", "images": order[:each]})
        found.append({"title": "Best", "note": f"The {each} highest {words}.", "images": order[: -each - 1 : -1]})
    removed = [image.removal for image in measured if image.removal is not None]
    most, little = choose([item for item in removed if item.removed], count)[0], choose(removed, count)[1]
    turn = f"taken from each class in turn, out of {len(removed):,} images whose Yᵇ shows an object"
    if most:
        note = f"The largest numbers of pixels that Yᵈᵇ took from Yᵇ, {turn}."
        found.append({"title": MOST_REMOVED, "note": note, "images": [place[item.image_id] for item in most]})
    if little:
        least = sum(item.share <= LITTLE_REMOVED for item in removed)
        note = f"At most {percent(LITTLE_REMOVED, 0)} % of Yᵇ's object pixels are gone, as in {least:,} of the images."
        found.append({"title": "Little removed", "note": note, "images": [place[item.image_id] for item in little]})
    return found + _with_map(images, measured, place, {index for strip in found for index in strip["images"]}, count)


def by_iou(measured: Sequence[ImageFigures], key: str) -> list[int]:
    """Return the places of the images that were scored, the lowest IoU first; ties fall by place."""
    scored = [(image.figures[key][0], index) for index, image in enumerate(measured) if key in image.figures]
    return [index for iou, index in sorted((iou, index) for iou, index in scored if iou is not None)]


def by_difference(measured: Sequence[ImageFigures], keys: Sequence[str]) -> list[tuple[float, int]]:
    """Return (last IoU less first, place) of the images that every run has figures of, the largest change first."""
    found = []
    for index, image in enumerate(measured):
        ious = [image.figures[key][0] for key in keys if key in image.figures]
        known = [iou for iou in ious if iou is not None]
        if len(known) == len(keys):
            found.append((known[-1] - known[0], index))
    return sorted(found, key=lambda item: (-abs(item[0]), item[1]))


def pictured(images: ImageSet, measured: Sequence[ImageFigures], shown: Sequence[Strip], count: int) -> set[int]:
    """Return the places of the images whose pictures are kept: those shown, then by IoU, change and removal in turn."""
    worst = by_iou(measured, images.judged.keys[0])
    changed = [index for _, index in by_difference(measured, images.judged.keys)] if images.compared else []
    lost = [(-image.removal.removed, index) for index, image in enumerate(measured) if image.removal is not None]
    most = [index for _, index in sorted(lost)]
    ways = [changed] if images.compared else [worst, most, worst[::-1], most[::-1]]
    turns = zip_longest(*ways, range(len(measured)))
    order = [*(index for strip in shown for index in strip["images"]), *(index for turn in turns for index in turn)]
    return set(list(dict.fromkeys(index for index in order if index is not None))[:count])


def _compared(judged: Judgement, measured: Sequence[ImageFigures], count: int) -> list[Strip]:
    changed = by_difference(measured, judged.keys)
    first, last = judged.names[0], judged.names[-1]
    found = []
    for better, worse, sign in ((last, first, 1), (first, last, -1)):
        places = [index for change, index in changed if sign * change > 0][: count // 2]
        note = f"The largest differences in the mean IoU of {judged.title} in favour of {better}."
        found.append({"title": f"Better in {better} than in {worse}", "note": note, "images": places})
    return found


def _with_map(
    images: ImageSet, measured: Sequence[ImageFigures], place: dict[str, int], shown: set[int], count: int
) -> list[Strip]:
    """The debias stage may write the first maps only: where no other strip has one, some are shown by themselves."""
    folder = next((layer.folder for layer in images.layers if layer.kind == "map"), None)
    if folder is None:
        return []
    mapped = [index for index, image in enumerate(measured) if (folder / f"{image.image_id}.png").is_file()]
    if not mapped or shown & set(mapped):
        return []
    removed = [item for index in mapped if (item := measured[index].removal) is not None]
    chosen = [place[item.image_id] for item in choose(removed, count)[0][: count // 3]]
    note = f"Most removed among the {len(mapped):,} images whose similarity map was written."
    return [{"title": "With a similarity map", "note": note, "images": chosen}] if chosen else []
