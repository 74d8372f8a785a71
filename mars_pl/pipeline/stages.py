"""All stages of MARS in the order of the paper (Fig. 2): read from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datamodules.files.tree import FIT_SPLIT, PREDICT_SPLIT
from mars_pl.pipeline.choices import CLASSIFIER, Choices
from mars_pl.pipeline.configs import find_config
from mars_pl.pipeline.methods import method
from mars_pl.pipeline.stage import Job, Output, Stage, Value
from mars_pl.pipeline.yamls import layers, masks, segmenter

WEIGHTS = "weights.safetensors"


@dataclass
class Training:
    """A fit of the last stage and what its network predicts."""

    fit: Stage
    masks: Stage
    complemented: Stage


@dataclass
class Pipeline:
    """The stages of one choice; each is made when it is wanted.

    Attributes:
        choices: of the run.
        pseudo: labels Yᵇ that MARS starts from.
        pseudo_baseline: labels Yᵇ that the baseline learns from.
    """

    choices: Choices
    pseudo: Value = field(init=False)
    pseudo_baseline: Value = field(init=False)

    def __post_init__(self) -> None:
        self._fits: dict[str, Stage] = {}
        self._trainings: dict[tuple[str, int], Training] = {}
        c = self.choices

        # ------------------------------------------------------------------------ §3.1 pseudo labels Yᵇ
        if c.labels:
            self.pseudo = self.pseudo_baseline = Path(c.labels)
        else:
            labels = self._pseudo_labels()
            self.pseudo, self.pseudo_baseline = labels / "mars", labels / "baseline"

        # ------------------------------------------------------------------------ §3.1 pixel features F
        backbone, features_weights = find_config(f"backbone/{c.backbone}"), {}
        if c.uss == "stego":
            store: dict[str, Value] = {"writer.tokens": c.tokens}
            neighbours = self._predict(
                "uss-neighbours", (c.backbone,), ("uss/crops", "uss/neighbours"), {"model.backbone": backbone} | store,
                leaves=("neighbours.safetensors", *(["tokens.npy"] if c.tokens else [])),
            )  # fmt: skip
            pairs: dict[str, Value] = {"data.training_set.neighbours": neighbours / "neighbours.safetensors"}
            if c.tokens:
                pairs["data.training_set.tokens"] = neighbours / "tokens.npy"
            fit = self._fit("uss-fit", (c.uss, c.backbone), ("uss/crops", "uss/stego"), {"model.backbone": backbone} | pairs)
            features_weights["model.feature_extractor.weights"] = fit / WEIGHTS
        elif c.uss != "backbone":
            fit = self._fit("uss-fit", (c.uss, c.backbone), (f"uss/{c.uss}",), {"model.backbone": backbone})
            features_weights["model.feature_extractor.weights"] = fit / WEIGHTS
        features: dict[str, Value] = {"model.feature_extractor.backbone": backbone} | features_weights

        # ------------------------------------------------------------------------ §3.2 debiased centroids 𝒱ᶜ (Eq. 1–3)
        told = (c.label_name, c.uss, c.backbone, c.centroids)
        clusters = {"model.foreground_clusters": c.foreground_clusters, "model.background_clusters": c.background_clusters}
        numbers = {"alpha": c.alpha, "kfg": c.foreground_clusters, "kbg": c.background_clusters}
        told += tuple(f"{name}{value:g}" for name, value in numbers.items() if value is not None)
        self.centroids = self._predict(
            "debias-centroids", told, (f"debias/{c.centroids}", f"uss/features_{c.uss}"),
            features | _given(clusters | {"writer.alpha": c.alpha}) | {"data.label_folder": self.pseudo},
            leaves=("centroids.safetensors", "candidates.csv", "selection.json"), measured=True,
        )  # fmt: skip

        # ------------------------------------------------------------------------ §3.3 debiased labels Yᵈᵇ (Eq. 4–5)
        told += (f"shifts{c.shifts}",) * (c.shifts != 1) + ((f"gamma{c.gamma:g}",) if c.gamma is not None else ())
        finer = {"model.feature_extractor.shifts": c.shifts if c.shifts != 1 else None, "writer.exponent": c.gamma}
        self.debiased = self._predict(
            "debias-labels", told, ("debias/labels", f"uss/features_{c.uss}"),
            features | _given(finer) | {"data.label_folder": self.pseudo, "model.centroids": self.centroids / "centroids.safetensors"},
            leaves=("removed.json",), each="{id}.png",
        )  # fmt: skip
        self._told = told

    # ---------------------------------------------------------------------------- §3.4 segmentation (Eq. 6–7)
    def training(self, name: str) -> Training:
        """Return the stages of one training: ``baseline`` learns Yᵇ, ``supervised`` the truth, the others Yᵈᵇ.

        They share everything but the label folder and the complement (§3.4).
        """
        c = self.choices
        seed = c.seed if c.segment_seed is None else c.segment_seed
        if (name, seed) not in self._trainings:
            learnt: dict[str, Value] = {"baseline": self.pseudo_baseline, "supervised": c.place(c.truth_aug)}
            labels = learnt.get(name, self.debiased / "")
            told = (name, c.segmenter, *filter(None, [c.encoder])) + {"baseline": (c.label_name,), "supervised": ()}.get(name, self._told)
            network = segmenter(c.data, c.segmenter)
            encoder: dict[str, Value] = {"model.network.encoder": c.encoder} if c.encoder else {}
            fit = self._fit(
                "segment", told, ("segment/segment",), encoder | {"data.label_folder": labels}, seed,
                more=(*network, *layers(c.data, f"train/{name}")), all_cores=name == c.train,
            )  # fmt: skip
            weights: dict[str, Value] = encoder | {"model.weights": fit / WEIGHTS}
            predicted = self._predict(
                "segment-masks", (*told, c.network_split), ("segment/segment",), weights | {"data.predict_split": c.network_split},
                seed, split=c.network_split, more=(*network, *masks(c.data, c.segmenter)), leaves=("about.json",), each="{id}.png",
            )  # fmt: skip
            complemented = self._predict(
                "segment-complemented", told, ("segment/segment",), weights | {"data.label_folder": self.debiased / ""},
                seed, more=(*network, *layers(c.data, "segment/complemented")), leaves=("about.json",), each="{id}.png",
            )  # fmt: skip
            self._trainings[name, seed] = Training(fit, predicted, complemented)
        return self._trainings[name, seed]

    # ---------------------------------------------------------------------------- figures, where there is truth
    def row(self, name: str, masks: Value, split: str, told: tuple[str, ...], **more: Value) -> Stage:
        """Return the stage that scores a folder of masks on a split."""
        c = self.choices
        options: dict[str, Value] = {
            "predictions": masks, "truth": str(c.place(c.truth)), "list": str(c.root / f"ImageSets/Segmentation/{split}.txt"),
            "data": find_config(f"data/{c.data}"), "root": c.data_root, "row": name, "split": split,
        } | more  # fmt: skip
        if c.where_truth:
            options["where-truth"] = True
        measures = [c.place(c.truth)]
        if c.place(c.companion).is_dir():
            options["companion"] = str(c.place(c.companion))
            measures.append(c.place(c.companion))
        return Stage("row", "evaluate", (c.data, *told, name), c.root, (split,), (), options, ("row.json",), measures=tuple(measures))

    # ---------------------------------------------------------------------------- how a stage is made
    def _pseudo_labels(self) -> Stage:
        """A classifier's scores become labels, at once or after a walk along a propagation network's affinities."""
        c, own = self.choices, method(self.choices.wsss)
        classifier, labels = (f"wsss/{own.classifier}",), f"wsss/{c.wsss}_labels"
        weights: dict[str, Value] = {"model.weights": self._classifier(own.classifier) / WEIGHTS}
        files: dict[str, Any] = {"leaves": ("mars", "baseline"), "each": "mars/{id}.png", "measured": True}
        if not own.propagation:
            return self._predict("wsss-labels", (c.wsss,), (*classifier, labels), weights, **files)
        scores = self._predict(
            "wsss-scores", (c.wsss,), (*classifier, f"wsss/{own.scores}"), weights, leaves=("confident",), each="{id}.npz"
        )
        start: dict[str, Value] = {}
        if c.propagation_from == CLASSIFIER:
            start[own.backbone] = self._classifier(own.stands_on) / WEIGHTS
        learns: dict[str, Value] = {"data.label_folder": scores / "confident"}
        network = self._fit("wsss-propagation", (c.wsss,), (f"wsss/{own.propagation}",), learns | start)
        walked: dict[str, Value] = {"data.score_folder": scores / "", "model.weights": network / WEIGHTS}
        return self._predict("wsss-labels", (c.wsss,), (f"wsss/{own.propagation}", labels), walked, **files)

    def _classifier(self, name: str) -> Stage:
        if name not in self._fits:
            self._fits[name] = self._fit("wsss-classifier", (name,), (f"wsss/{name}",), {})
        return self._fits[name]

    def _fit(self, name: str, told: tuple[str, ...], bases: tuple[str, ...], options: dict[str, Value], seed: int | None = None, *, more: tuple[Path, ...] = (), all_cores: bool = False) -> Stage:  # fmt: skip
        return self._lightning(name, "fit", told, bases, options, seed, FIT_SPLIT, more, leaves=(WEIGHTS,), all_cores=all_cores)

    def _predict(self, name: str, told: tuple[str, ...], bases: tuple[str, ...], options: dict[str, Value], seed: int | None = None, *, split: str = PREDICT_SPLIT, more: tuple[Path, ...] = (), leaves: tuple[str, ...], each: str = "", measured: bool = False) -> Stage:  # fmt: skip
        return self._lightning(name, "predict", told, bases, options, seed, split, more, leaves=leaves, each=each, measured=measured)

    def _lightning(self, name: str, job: Job, told: tuple[str, ...], bases: tuple[str, ...], options: dict[str, Value], seed: int | None, split: str, more: tuple[Path, ...], *, measured: bool = False, **files: Any) -> Stage:  # fmt: skip
        c = self.choices
        yamls = (*layers(c.data, f"data/{c.data}", *bases), *more, find_config(f"trainer/{c.trainer}"))
        own = {key.partition(".")[2]: text for key, text in c.options.items() if key.partition(".")[0] == name}
        chosen: dict[str, Value] = {"data.root": c.data_root} | options | own
        seeds = (f"seed{c.seed}",) * (c.seed != 0) + (f"segmenter{seed}",) * (seed not in (None, c.seed))
        truth = (c.place(c.truth),) if measured else ()
        return Stage(
            name, job, (c.data, *told, c.trainer, *seeds), c.root, (split,), yamls, chosen,
            measures=truth, seed=c.seed if seed is None else seed, **files,
        )  # fmt: skip


def _given(options: dict[str, Any]) -> dict[str, Value]:
    return {name: value for name, value in options.items() if value is not None}
