"""Fig. 7: what each component does to single images, from Yᵇ to what the network draws (§3.2 to §3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from datamodules.files.drawing import Picture, heat, shown
from datamodules.files.labels import Label, codes_in, read_label
from datamodules.files.shards.place import Folder
from datamodules.files.tree import Tree
from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.figures.style import WIDTH, blank, overlaid, patches
from mars_pl.commands.report.images.choice import Removal, choose, removals
from mars_pl.commands.report.images.palette import class_colours
from mars_pl.commands.report.images.pictures import read_image
from mars_pl.commands.report.images.sets import LABELS, truth_of
from mars_pl.commands.report.run import Run

TITLE = "What each component does"

POOL = 120
"""Images looked at closely: those with the most removed pixels, each class in turn."""

WELL_REMOVED = 2
"""Rows of images whose companion went; one more shows what the teacher restored."""

KEPT = 0.85
"""Share of Yᵇ's right object pixels that an image whose companion went has kept."""

COLUMNS = {"truth": "truth", **LABELS, "similarity": "similarity"}
HATCHED = (1.0, 0.0, 1.0)


@dataclass(frozen=True)
class Sample:
    """One row of the figure.

    Attributes:
        image_id: its id.
        image: uint8 (H, W, 3).
        layers: labels (H, W) by the name of their column, a missing one left out.
    """

    image_id: str
    image: Picture
    layers: dict[str, Label]


@dataclass(frozen=True)
class Samples:
    """The rows of the figure, and the classes' names."""

    rows: tuple[Sample, ...]
    columns: tuple[str, ...]
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class _Judged:
    """An image with what speaks for showing it: pixels rightly removed, 0 where the object went too; restored ones."""

    item: Removal
    removed: int
    restored: int


def collect(run: Run) -> Samples:
    """Choose two images whose companion was removed, of two classes, and one whose object was restored.

    Raises:
        LackingError: where there are no pseudo or no debiased labels, or nothing was removed.
    """
    labels = {name: folder for name in LABELS if (folder := run.labels(name)) is not None}
    for name in ("pseudo", "debiased"):
        if name not in labels:
            raise LackingError(f"the run's {LABELS[name]} are not there (labels.{name} in run.json)")
    found = removals(labels["pseudo"], labels["debiased"])
    mapped = {path.stem for path in labels["similarity"].glob("*.png")} if "similarity" in labels else set()
    truth = truth_of(run)
    folders: dict[str, Folder] = {**({} if truth is None else {"truth": truth}), **labels}
    drawn = [item for item in found if item.image_id in mapped] or found
    pool, _ = choose([item for item in drawn if item.removed], POOL * 3 // 2)
    if not pool:
        raise LackingError("no pixel was removed from any label")
    chosen = _chosen([_judge(item, folders) for item in pool])
    tree = Tree(run.root)
    rows = tuple(
        Sample(item.image_id, read_image(tree.image(item.image_id)), _layers(item.image_id, folders)) for item in chosen
    )
    columns = tuple(name for name in COLUMNS if all(name in row.layers for row in rows))
    return Samples(rows, columns, run.class_names)


def _layers(image_id: str, folders: Mapping[str, Folder]) -> dict[str, Label]:
    paths = {name: folder / f"{image_id}.png" for name, folder in folders.items()}
    return {name: read_label(path) for name, path in paths.items() if path.is_file()}


def _judge(item: Removal, folders: Mapping[str, Folder]) -> _Judged:
    layers = _layers(item.image_id, {name: path for name, path in folders.items() if name != "similarity"})
    before, after = layers["pseudo"], layers["debiased"]
    biased = after == codes_in(after).biased
    true = layers.get("truth", before)
    wrong = before != true if "truth" in layers else np.ones_like(biased)
    restored = biased & (layers.get("complemented", after) == before) & (before == true)
    right = (before > 0) & ~wrong
    kept = (right & ~biased).sum() >= KEPT * right.sum()
    return _Judged(item, int(kept) * int((biased & wrong).sum()), int(restored.sum()))


def _chosen(pool: Sequence[_Judged]) -> list[Removal]:
    """The best removals of different classes, and of a further class the most that was restored."""
    chosen: list[Removal] = []
    for count, worth in ((WELL_REMOVED, "removed"), (1, "restored")):
        taken = {item.main_class for item in chosen}
        ranked = sorted(pool, key=lambda one: (-getattr(one, worth), one.item.image_id))
        for one in ranked:
            if count and one.item.main_class not in taken and getattr(one, worth) > 0:
                chosen.append(one.item)
                taken.add(one.item.main_class)
                count -= 1
    return chosen or [pool[0].item]


def draw(data: Samples) -> Figure:
    """Draw a row an image and a column a step of the method."""
    count = len(data.columns) + 1
    height, width = data.rows[0].image.shape[:2]
    figure = blank(WIDTH, len(data.rows) * (WIDTH / count * height / width) + 0.62)
    grid = figure.subplots(len(data.rows), count, squeeze=False)
    for line, row in zip(grid, data.rows, strict=True):
        line[0].imshow(row.image)
        for axes, name in zip(line[1:], data.columns, strict=True):
            label = row.layers[name]
            axes.imshow(
                heat(shown(label)) if name == "similarity" else overlaid(row.image, label, len(data.class_names))
            )
    for axes, words in zip(grid[0], ("image", *(COLUMNS[name] for name in data.columns)), strict=True):
        axes.set_title(words, fontsize=9)
    for axes in grid.flat:
        axes.axis("off")
    classes = _classes(data)
    shades = class_colours(len(data.class_names) - 1) / 255
    handles = patches([data.class_names[index] for index in classes], [shades[index - 1] for index in classes])
    handles += patches(["removed (biased)"], ["#ff00ff"])
    handles[-1].set(hatch="////", edgecolor="#3a003a")
    figure.legend(handles=handles, loc="outside lower center", ncols=min(8, len(handles)), handlelength=1)
    return figure


def _classes(data: Samples) -> list[int]:
    labels = [label for row in data.rows for name, label in row.layers.items() if name != "similarity"]
    seen = {int(index) for label in labels for index in np.unique(label)}
    return sorted(index for index in seen if 0 < index < len(data.class_names))


def caption(data: Samples) -> str:
    """Say what the columns are and why these images were chosen."""
    ids = ", ".join(row.image_id for row in data.rows)
    restored = (
        " The last row is one in which the teacher gave much of an object back."
        if len(data.rows) > WELL_REMOVED
        else ""
    )
    steps = {
        "pseudo": "the pseudo label Yᵇ with its companions",
        "similarity": "the similarity to the debiased centroid (pale is alike)",
        "debiased": "the debiased label Yᵈᵇ, in which the hatched pixels are removed",
        "complemented": "the complemented label Yᶜᵒ, in which the teacher has answered for them",
        "prediction": "what the network draws",
    }
    told = ", ".join(words for name, words in steps.items() if name in data.columns)
    return (
        f"As in Fig. 7: the image, {'the truth, ' if 'truth' in data.columns else ''}{told}. Images {ids}, chosen for "
        f"how much was rightly removed.{restored}"
    )
