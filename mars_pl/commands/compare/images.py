"""The images that several runs have masks of, each run's layers beside the other's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mars_pl.commands.compare.sources import Source
from mars_pl.commands.report.images.sets import OF_RUN, ImageSet, Judgement, Layer, image_sets


def compared_images(sources: Sequence[Source]) -> list[ImageSet]:
    """Return the labels' and the networks' images that all runs with stages share; none where fewer than two do.

    Runs of other classes than the first's are left out: their masks mean something else.
    """
    runs = [source for source in sources if source.run is not None]
    runs = [source for source in runs if _classes(source) == _classes(runs[0])]
    if len(runs) < 2:
        return []
    found: dict[str, list[tuple[str, ImageSet]]] = {}
    for source in runs:
        for images in image_sets(source.run) if source.run is not None else []:
            found.setdefault(images.title, []).append((source.name, images))
    together = [_together(named) for named in found.values() if len(named) > 1]
    return [images for images in together if images.ids and images.compared]


def _classes(source: Source) -> tuple[str, ...]:
    return source.run.class_names if source.run is not None else ()


def _together(named: Sequence[tuple[str, ImageSet]]) -> ImageSet:
    """One set of the images that all have: the first's truth, and of every other layer each run's."""
    _, first = named[0]
    shared = set(first.ids).intersection(*(images.ids for _, images in named))
    layers = [layer for layer in first.layers if layer.kind == "truth"]
    compared = []
    keys = dict.fromkeys(layer.key for _, images in named for layer in images.layers if layer.kind != "truth")
    for key in keys:
        found = [
            (name, Layer(f"{key}{OF_RUN}{index}", f"{layer.title} · {name}", layer.folder, layer.kind), layer.title)
            for index, (name, images) in enumerate(named)
            for layer in images.layers
            if layer.key == key
        ]
        layers += [layer for _, layer, _ in found]
        if len(found) == len(named) and found[0][1].kind == "mask":
            names = tuple(name for name, _, _ in found)
            compared.append(Judgement(found[0][2], tuple(layer.key for _, layer, _ in found), names))
    ids = tuple(image_id for image_id in first.ids if image_id in shared)
    return replace(first, ids=ids, layers=tuple(layers), compared=tuple(compared))
