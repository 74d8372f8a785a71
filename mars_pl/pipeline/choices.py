"""What a person chooses for a run: words like ``data=voc``, completed by what the data set itself prefers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from mars_pl.pipeline.choice_files import FILES, look_for_file, near_miss
from mars_pl.pipeline.machine import best_trainer
from mars_pl.pipeline.methods import method
from mars_pl.pipeline.preferences import FULL, preferences
from mars_pl.pipeline.settings.configs import find_config
from mars_pl.pipeline.settings.settings_file import read_settings

IMAGENET, CLASSIFIER = "imagenet", "classifier"
MASKS, COMPLEMENTED = "masks", "complemented"


@dataclass(frozen=True)
class Choices:
    """One run's choices. Each is a file of ``configs``, a number or a place; see `mars run --help`."""

    data: str = field(default="scenes", metadata={"help": "data set: a file of configs/data"})
    data_root: str = field(default="", metadata={"help": "where it lies (default: data/<data>)"})
    size: str = field(
        default=FULL, metadata={"help": "small (for a CPU), full (as published) or machine: small without a GPU"}
    )
    wsss: str = field(
        default="cam", metadata={"help": "method of the pseudo labels: cam, irn, advcam, wood, clims, seam, rsepm"}
    )
    labels: str = field(default="", metadata={"help": "instead: a folder of masks <image id>.png"})
    ood: str = field(default="", metadata={"help": "folder of pictures that show none of the classes, for wsss=wood"})
    captions: str = field(
        default="",
        metadata={"help": "folder of captioned pictures that the CLIP of wsss=clims learns from (default: published)"},
    )
    propagation_from: str = field(
        default=IMAGENET, metadata={"help": f"what a propagation network starts from: {IMAGENET} or {CLASSIFIER}"}
    )
    uss: str = field(
        default="stego",
        metadata={"help": "pixel features: stego, stego_vit_small, leopart, or backbone for bare tokens"},
    )
    backbone: str = field(default="vit_base_patch8_dino", metadata={"help": "a file of configs/backbone"})
    tokens: bool = field(default=False, metadata={"help": "store STEGO's tokens, so that its fit reads no image"})
    features: bool = field(
        default=False,
        metadata={"help": "store the pixel features with the centroids, so that labels need no second pass"},
    )
    centroids: str = field(
        default="centroids", metadata={"help": "a file of configs/debias: Eq. 1's mean, the minimum, or two kinds"}
    )
    alpha: float | None = field(default=None, metadata={"help": "α of Eq. 2"})
    foreground_clusters: int | None = field(default=None, metadata={"help": "K_fg"})
    background_clusters: int | None = field(default=None, metadata={"help": "K_bg"})
    shifts: int = field(default=1, metadata={"help": "2: debiased labels at half the backbone's stride"})
    debias: str = field(
        default="labels",
        metadata={"help": "a file of configs/debias: Eq. 4 or labels_{lifted,both_sides,probed}"},
    )
    gamma: float | None = field(default=None, metadata={"help": "γ of the labels by Eq. 4"})
    segmenter: str = field(default="deeplabv3plus_resnet101", metadata={"help": "a file of configs/segment"})
    encoder: str = field(default="", metadata={"help": "another timm encoder for it"})
    train: str = field(default="mars", metadata={"help": "a file of configs/train"})
    mixing: bool = field(
        default=False, metadata={"help": "paste labelled objects onto other images while the segmenter learns"}
    )
    dhr_labels: str = field(
        default=MASKS,
        metadata={
            "help": f"what train=dhr starts from: MARS' {MASKS} of its images (DHR), or its {COMPLEMENTED} labels"
        },
    )
    rounds: int = field(
        default=1,
        metadata={"help": "fits of the last stage, each on the masks that the one before has of its images (paper: 1)"},
    )
    also: tuple[str, ...] = field(default=(), metadata={"help": "further trainings, separated by commas"})
    fewest_steps: int = field(default=0, metadata={"help": "fits whose epochs come to fewer steps make more epochs"})
    trainer: str = field(default="", metadata={"help": "a file of configs/trainer (default: what the machine has)"})
    seed: int = field(default=0, metadata={"help": "of all stages"})
    segment_seed: int | None = field(default=None, metadata={"help": "of the segmenter alone (default: seed)"})
    train_split: str = field(default="train", metadata={"help": "list that labels are scored on"})
    network_split: str = field(default="val", metadata={"help": "list that networks are scored on"})
    truth: str = field(default="SegmentationClass", metadata={"help": "folder of true masks, for measuring"})
    truth_aug: str = field(default="SegmentationClassAug", metadata={"help": "true masks that train=supervised learns"})
    companion: str = field(
        default="Companion", metadata={"help": "folder of the companions' masks, where there is one"}
    )
    where_truth: bool = field(default=False, metadata={"help": "score the images that have a true mask"})
    options: Mapping[str, str] = field(default_factory=dict)
    """What was said for a stage alone, ``segment.trainer.max_epochs=3``."""

    @property
    def root(self) -> Path:
        """Where the data set lies."""
        return Path(self.data_root)

    @property
    def overlays(self) -> tuple[str, ...]:
        """Names of the overlays that a stage's YAMLs get, the later before the earlier."""
        return (self.size, self.data)

    def place(self, name: str) -> Path:
        """Return a folder of the data set by its name in the root, or else one from elsewhere by its path."""
        inside = self.root / name
        return Path(name) if not inside.is_dir() and Path(name).is_dir() else inside

    @property
    def label_name(self) -> str:
        """Name of where the pseudo labels come from."""
        return Path(self.labels).name if self.labels else self.wsss

    def seeded(self, seed: int | None = None, segment_seed: int | None = None) -> Choices:
        """Return the same choices with other seeds."""
        own = self.seed if seed is None else seed
        return replace(self, seed=own, segment_seed=own if segment_seed is None else segment_seed)


NAMES = tuple(entry.name for entry in fields(Choices) if entry.name != "options")


def read_choices(words: Mapping[str, str], options: Mapping[str, str]) -> Choices:
    """Complete the words of a person: theirs first, then the data set's, the size's, the features', the general ones.

    Args:
        words: value by name, as typed.
        options: value by ``stage.setting``.

    Raises:
        DataError: where a name is unknown, or a value is none of its kind or no file.
    """
    for name in words:
        if name not in NAMES:
            raise unknown(name, NAMES)
    data = words.get("data", Choices.data)
    look_for_file("data", data)
    preferred = preferences({**words, "data": data}, NAMES, Choices.uss)
    values: dict[str, Any] = preferred | {name: value_of(name, text) for name, text in words.items()}
    values["size"] = preferred["size"]
    values.setdefault("data_root", f"data/{data}")
    values["trainer"] = values.get("trainer") or best_trainer()
    if isinstance(values.get("network_split"), tuple):
        values["network_split"] = _first_listed(Path(values["data_root"]), values["network_split"])
    values["segment_seed"] = values.get("segment_seed", values.get("seed", Choices.seed))
    choices = Choices(**values, options=options)
    for name in FILES:
        chosen = getattr(choices, name)
        for value in chosen if isinstance(chosen, tuple) else (chosen,):
            look_for_file(name, value)
    if choices.labels and not Path(choices.labels).is_dir():
        raise DataError(f"labels={choices.labels}: no such folder; name a folder of masks <image id>.png")
    if choices.propagation_from not in (IMAGENET, CLASSIFIER):
        raise DataError(f"propagation_from={choices.propagation_from}: neither {IMAGENET} nor {CLASSIFIER}")
    if method(choices.wsss).outside and not choices.labels and not choices.ood:
        raise DataError(
            f"ood=: wsss={choices.wsss} learns from pictures that show none of the classes too; name their folder"
        )
    if choices.dhr_labels not in (MASKS, COMPLEMENTED):
        raise DataError(f"dhr_labels={choices.dhr_labels}: neither {MASKS} nor {COMPLEMENTED}")
    if _is_set(choices, "debias", "debias-labels", "model", "against", "both") and not _is_set(
        choices, "centroids", "debias-centroids", "writer", "parting"
    ):
        raise DataError(
            f"debias={choices.debias}: wants centroids of companions, which centroids={choices.centroids} does not "
            "part; centroids=centroids_two_kinds does"
        )
    if choices.mixing and (own := {"adele", "dhr"} & {choices.train, *choices.also}):
        raise DataError(f"mixing=true: train={min(own)} makes labels of whole images as it learns; leave one out")
    if choices.rounds < 1:
        raise DataError(f"rounds={choices.rounds}: 1, as in the paper, or more")
    if choices.features and choices.shifts != 1:
        raise DataError(
            f"features=true: the centroids' are stored, shifts={choices.shifts} wants finer ones; leave one out"
        )
    return choices


def _is_set(choices: Choices, choice: str, stage: str, part: str, name: str, value: str | None = None) -> bool:
    """Tell whether a YAML of `configs/debias`, or an option of its stage, sets something, or sets it to a value."""
    said = choices.options.get(f"{stage}.{part}.{name}")
    if said is None:
        said = read_settings(find_config(f"debias/{getattr(choices, choice)}"), part, "init_args").get(name)
    return said not in (None, "null") if value is None else said == value


def unknown(name: str, known: Sequence[str]) -> DataError:
    """Return the fault of a name that nothing reads, with the one that was probably meant."""
    meant = near_miss(name, known) or "`mars run --help` lists them"
    return DataError(f"{name}=: no choice has this name; {meant}")


def value_of(name: str, text: str) -> Any:
    """Return the value of a choice as it was typed; raises DataError where it is none of its kind."""
    kind = next(entry.type for entry in fields(Choices) if entry.name == name)
    try:
        if "int" in str(kind):
            return int(text)
        if "float" in str(kind):
            return float(text)
    except ValueError:
        raise DataError(f"{name}={text}: is no number") from None
    if "bool" in str(kind):
        if text.lower() not in ("true", "false"):
            raise DataError(f"{name}={text}: neither true nor false")
        return text.lower() == "true"
    return tuple(text.replace(",", " ").split()) if "tuple" in str(kind) else text


def _first_listed(root: Path, splits: Sequence[str]) -> str:
    """The first split of which there is a list; the last one where there is none yet."""
    listed = (
        split
        for split in splits
        if any((root / place / f"{split}.txt").is_file() for place in ("", "ImageSets/Segmentation"))
    )
    return next(listed, splits[-1])
