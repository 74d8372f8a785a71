"""Which images a run can show: those whose labels are scored, and those that its networks are scored on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from datamodules.errors import DataError
from datamodules.files.image_labels import ImageLabels, LabelSource, known_labels, open_image_labels
from datamodules.files.image_list import is_hidden
from datamodules.files.shards.place import Folder, names_in, place
from datamodules.files.shards.shard_folder import ShardFolder
from datamodules.files.tree import Tree
from mars_pl.commands.file_loop import each_image
from mars_pl.commands.metrics_table import TITLES as ROW_TITLES
from mars_pl.commands.metrics_table import title as row_title
from mars_pl.commands.report.images.figures import ImageFigures, Measured, measure_all, measure_image
from mars_pl.commands.report.run import Run
from mars_pl.commands.row_names import last_round, row_name

LABELS = {"pseudo": "Yᵇ", "similarity": "similarity to 𝒱ᶜ", "debiased": "Yᵈᵇ", "complemented": "Yᶜᵒ"}
LABELS |= {"prediction": "prediction"}
"""Label folders that a manifest names, in the order of the method, and what they are called."""

TITLES = ("labels", "networks")
"""Of the sets, and of the folders of their pictures."""

OF_RUN = "@"
"""Parts a layer's name from its run's number, where several runs are compared."""

_MASKS = "segment-masks"


@dataclass(frozen=True)
class Layer:
    """One kind of picture that lies over an image.

    Attributes:
        key: its name in the page's data.
        title: what a person reads.
        folder: holds `<id>.png`, or shards of them.
        kind: a map is not scored.
    """

    key: str
    title: str
    folder: Path | ShardFolder
    kind: Literal["mask", "map", "truth"] = "mask"


@dataclass(frozen=True)
class Judgement:
    """What the table of images shows the figures of: one mask, or the same of several runs.

    Attributes:
        title: what a person reads.
        keys: of the layers, one a run.
        names: of the runs; empty where there is but one.
    """

    title: str
    keys: tuple[str, ...]
    names: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class ImageSet:
    """Images of one split and what lies over them.

    Attributes:
        title: what a person reads.
        split: the list's name.
        ids: of the images, which may have folders in them.
        layers: the truth first, where there is one.
        tree: where the images lie.
        class_names: background first.
        over: class ids that means are taken over; None takes all.
        compared: of several runs, what of them is held side by side; nothing of a single one.
    """

    title: str
    split: str
    ids: tuple[str, ...]
    layers: tuple[Layer, ...]
    tree: Tree
    class_names: tuple[str, ...]
    over: tuple[int, ...] | None = None
    compared: tuple[Judgement, ...] = ()

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """What the table may show the figures of, in the order of the method."""
        return self.compared or tuple(Judgement(layer.title, (layer.key,)) for layer in self.masks)

    @property
    def judged(self) -> Judgement:
        """What images are ranked by: the final network's masks, or else the last label of the method."""
        found = {one.keys[0].partition(OF_RUN)[0]: one for one in self.judgements}
        first = next((key for key in (last_round(found), "complemented", "debiased", "pseudo") if key in found), None)
        return self.judgements[-1] if first is None else found[first]

    @property
    def truth(self) -> Folder | None:
        """Where the true masks lie."""
        return next((layer.folder for layer in self.layers if layer.kind == "truth"), None)

    @property
    def masks(self) -> list[Layer]:
        """What is scored."""
        return [layer for layer in self.layers if layer.kind == "mask"]

    def measure(self) -> Measured:
        """Measure every image, in the order of the ids; raises DataError as `measure_image` does."""
        folders = {layer.key: layer.folder for layer in self.masks}
        count = len(self.class_names)
        measure = partial(measure_image, masks=folders, truth=self.truth, num_classes=count, over=self.over)
        return measure_all(each_image(measure, self.ids, f"measuring {self.title}"))

    def classes(self, measured: Sequence[ImageFigures]) -> list[tuple[int, ...]]:
        """Return which classes each image shows: by its image labels, else by its truth, else by its labels."""
        read = _label_source(self)
        labels_only = all(layer.key.partition(OF_RUN)[0] in LABELS for layer in self.masks)
        labels = None if read is None else known_labels(read, [image.image_id for image in measured])
        return [_classes(image, labels, place, labels_only) for place, image in enumerate(measured)]


def image_sets(run: Run) -> list[ImageSet]:
    """Return the images that a run has got labels of, and those that it has got network masks of.

    Without the classes' names there are none: nobody knows how many codes of a mask are classes.
    """
    if not run.class_names:
        return []
    labels = [
        Layer(key, words, place(folder)) for key, words in LABELS.items() if (folder := run.labels(key)) is not None
    ]
    labels = [Layer(one.key, one.title, one.folder, "map") if one.key == "similarity" else one for one in labels]
    found = ((labels, "split"), (network_masks(run), "network_split"))
    sets = [
        _image_set(run, title, str(run.manifest.get(split) or ""), layers)
        for title, (layers, split) in zip(TITLES, found, strict=True)
        if layers
    ]
    return [one for one in sets if one.ids]


def network_masks(run: Run) -> list[Layer]:
    """Return the masks that the run's networks predict for the images that they are scored on, the baseline's first."""
    stages = {_network_of(name): path for name, path in run.stage_folders().items()
              if name == _MASKS or name.startswith(f"{_MASKS}-")}  # fmt: skip
    return [Layer(name, row_title(name), place(stages[name])) for name in sorted(stages, key=_place)]


def truth_of(run: Run) -> Path | ShardFolder | None:
    """Return where the true masks lie that the run's rows were scored with, None where there are none."""
    name = (run.manifest.get("choices") or {}).get("truth")
    chosen = Tree(run.root).folder(name) if name else None
    return chosen if chosen is not None and chosen.is_dir() else truth_folder(run.root)


def truth_folder(root: Path) -> Path | ShardFolder | None:
    """Return where the truth masks lie, the augmented ones where there are any, None where there is no truth."""
    folders = (root / "SegmentationClassAug", root / "SegmentationClass", root / "masks")
    return next((place(folder) for folder in folders if folder.is_dir()), None)


def scored_ids(rows: Mapping[str, Any], class_names: Sequence[str]) -> tuple[int, ...] | None:
    """Return the ids of the classes that the rows' means are taken over; None for all."""
    named: list[str] = next((row["scored"] for row in rows.values() if row and isinstance(row.get("scored"), list)), [])
    return tuple(class_names.index(name) for name in named if name in class_names) or None


def ids_of(run: Run, split: str, layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return the images of a split that have a mask: by the data's list, or without one all that a folder holds."""
    tree = Tree(run.root)
    masks = [layer.folder for layer in layers if layer.kind == "mask"]
    listed = split and tree.list_file(split).is_file()
    ids = tree.ids(split) if listed else _held(masks[0]) if masks else []
    return tuple(one for one in ids if any((folder / f"{one}.png").is_file() for folder in masks))


def _image_set(run: Run, title: str, split: str, layers: Sequence[Layer]) -> ImageSet:
    truth = truth_of(run)
    true = (Layer("truth", "truth", truth, "truth"),) if truth is not None else ()
    over = scored_ids(run.measured_rows(), run.class_names)
    ids = ids_of(run, split, layers)
    return ImageSet(title, split, ids, (*true, *layers), Tree(run.root), run.class_names, over)


def _network_of(stage: str) -> str:
    """The network whose masks a stage made: of the final one's stages, and of its rounds', the name leaves it out."""
    name = stage.removeprefix(_MASKS).removeprefix("-")
    of_final = row_name(f"final-{name}").plain == "final"
    return f"final-{name}" if of_final else name or "final"


def _place(name: str) -> tuple[int, int, str]:
    """Networks in the order of the rows, the first round before the later ones."""
    row, places = row_name(name), list(ROW_TITLES)
    return places.index(row.plain) if row.plain in places else len(places), row.number, name


def _held(folder: Path | ShardFolder) -> list[str]:
    if isinstance(folder, ShardFolder):
        return [name.removesuffix(".png") for name in names_in(folder) if name.endswith(".png")]
    paths = (path.relative_to(folder) for path in folder.rglob("*.png"))
    return sorted(path.with_suffix("").as_posix() for path in paths if not is_hidden(path))


def _label_source(images: ImageSet) -> LabelSource | None:
    try:
        return open_image_labels(images.tree.root, images.class_names)
    except DataError:  # data without image labels: labels of another method may stand without them
        return None


def _classes(image: ImageFigures, labels: ImageLabels | None, place: int, labels_only: bool) -> tuple[int, ...]:
    if labels is not None and place in labels:
        return tuple(labels[place].tolist())
    return image.true if image.true is not None else image.drawn if labels_only else ()
