"""All stages of MARS in the order of the paper (Fig. 2). Read it from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mars_pl.pipeline.choices import COMPLEMENTED, MASKS, Choices
from mars_pl.pipeline.maker import Maker, Options, given, weights_of
from mars_pl.pipeline.pixel_features import pixel_features, tokens_of
from mars_pl.pipeline.settings.yamls import masks, segmenter
from mars_pl.pipeline.stage import Output, Stage, Value, setting
from mars_pl.pipeline.wsss_stages import pseudo_labels

FEATURES = "features"
"""Sub-folder of the centroids' stage in which features are stored."""

DEBIAS = "labels"
"""The YAML of Eq. 4–5, on which every other choice of ``debias`` is laid."""

PROBED = "labels_probed"
"""The choice of ``debias`` that asks a probe, which Eq. 5's labels have taught, in place of Eq. 4."""

EXTRACTOR = setting("model.feature_extractor.")
"""What the settings of a stage's features begin with."""

PROBE_READS = ("uss/features_backbone", "debias/probe_tokens")
"""YAMLs of the tokens that a probe learns from and judges."""

DEBIASED = ("debias-probed", "debias-labels")
"""Stages of debiased labels; of both the first makes the run's."""


@dataclass(frozen=True)
class Training:
    """A fit of the last stage and what its network predicts.

    Attributes:
        labels: what it learns from.
        fit: leaves the teacher.
        masks: of `network_split`, for scoring.
        told: choices in its folders' names.
    """

    labels: Value
    fit: Stage
    masks: Stage
    told: tuple[str, ...]


class Pipeline:
    """The stages of one choice.

    Args:
        choices: of the run.
        stored: features that centroids and labels read in place of asking the network, another pipeline's; finer ones
            than the centroids' (``shifts``) are asked for all the same.

    Attributes:
        pseudo: labels Yᵇ that MARS starts from.
        pseudo_baseline: labels Yᵇ that the baseline learns from.
        centroids: debiased centroids 𝒱ᶜ.
        debiased: debiased labels Yᵈᵇ.
    """

    def __init__(self, choices: Choices, stored: Output | None = None) -> None:
        self.choices = c = choices
        self.make = make = Maker(c)
        self._trainings: dict[tuple[str, int], Training] = {}

        # §3.1 Pseudo labels Yᵇ: of another method's folder, or of a classifier's scores.
        self.pseudo, self.pseudo_baseline = (Path(c.labels),) * 2 if c.labels else pseudo_labels(make)

        # §3.1 Pixel features F: a frozen vision transformer, and what unsupervised segmentation learnt on it.
        self._features = features = pixel_features(make)
        self._dense = dense = make.layers(f"uss/features_{c.uss}")
        read: Options = {"data.feature_folder": stored} if stored else features

        # §3.2 Debiased centroids 𝒱ᶜ: K-means inside each region (K_fg, K_bg), distances to all background centroids
        # (Eq. 1), the α share of each class that is farthest (Eq. 2), its mean (Eq. 3).
        told = (c.label_name, c.uss, c.backbone, c.centroids, *given("alpha", c.alpha))
        told += (*given("kfg", c.foreground_clusters), *given("kbg", c.background_clusters))
        self.centroids = make.predict(
            "debias-centroids",
            (*make.layers(f"debias/{c.centroids}"), *(make.layers("uss/stored_features") if stored else dense)),
            told,
            {
                "data.label_folder": self.pseudo,
                **read,
                "model.foreground_clusters": c.foreground_clusters,
                "model.background_clusters": c.background_clusters,
                "writer.alpha": c.alpha,
                "writer.features": FEATURES if c.features else None,
            },
            leaves=("centroids.safetensors", "candidates.parquet", "selection.json", *([FEATURES] * c.features)),
            measured=True,
        )

        # §3.3 Debiased labels Yᵈᵇ: cosine to 𝒱ᶜ, ReLU (Eq. 4), refinement; what is unlike becomes 254 (Eq. 5).
        probed = c.debias == PROBED
        chosen = DEBIAS if probed else c.debias
        shifts = c.shifts if c.shifts != 1 else None
        told += () if chosen == DEBIAS else (chosen,)
        told += (*given("shifts", shifts), *given("gamma", c.gamma))
        of_labels = [make.layers(f"debias/{name}") for name in dict.fromkeys((DEBIAS, chosen))]
        kept = self.centroids / FEATURES if c.features else stored if c.shifts == 1 else None
        self.debiased = make.predict(
            "debias-labels",
            (*chain(*of_labels), *(make.layers("uss/stored_features") if kept else dense)),
            told,
            {
                "data.label_folder": self.pseudo,
                **({"data.feature_folder": kept} if kept else features),
                "model.centroids": self.centroids / "centroids.safetensors",
                "model.feature_extractor.shifts": shifts,
                "writer.exponent": c.gamma,
            },
            leaves=("removed.json",),
            each="{id}.png",
        )
        if probed:
            told += (PROBED,)
            self.debiased = self._probed(self.debiased, told, {"model.feature_extractor.shifts": shifts})
        self._told = told

    def _probed(self, taught_by: Stage, told: tuple[str, ...], more: Options) -> Stage:
        """Labels by a probe in place of Eq. 4 (ours): it learns from the labels of Eq. 5 what an object is."""
        make, tokens = self.make, tokens_of(self.make, self._features)
        probe = make.predict(
            "debias-probe",
            make.layers("debias/probe", *PROBE_READS),
            told,
            {"data.label_folder": taught_by / "", **tokens},
            leaves=("probe.safetensors", "probe.json"),
        )
        # What a person said of the probe's tokens holds for its map too: another block's tokens would fit as well.
        same = {name: value for name, value in probe.options.items() if setting(name).startswith(EXTRACTOR)}
        return make.predict(
            "debias-probed",
            make.layers(f"debias/{DEBIAS}", f"debias/{PROBED}", *PROBE_READS),
            told,
            {
                "data.label_folder": self.pseudo,
                **same,
                "model.probe": probe / "probe.safetensors",
                **more,
            },
            leaves=("removed.json",),
            each="{id}.png",
        )

    def training(self, name: str, number: int = 1) -> Training:
        """§3.4 Segmentation: a student and its EMA teacher, which fills biased pixels (Eq. 6) for the WCE loss (Eq. 7).

        Trainings share everything but the label folder and the complement.

        Args:
            name: ``baseline`` and ``adele`` learn Yᵇ, ``supervised`` the truth, ``dhr`` what MARS' network made of Yᵈᵇ
                (§ DHR), every other one Yᵈᵇ.
            number: of the round. From 2 on (not in the paper) it learns the masks that the network of the round before
                has of its own training images.
        """
        if (name, number) not in self._trainings:
            self._trainings[name, number] = self._first(name) if number == 1 else self._later(name, number)
        return self._trainings[name, number]

    @property
    def final(self) -> Training:
        """The training whose network is the run's: the chosen one's last round."""
        return self.training(self.choices.train, self.choices.rounds)

    def complemented(self, training: Training) -> Stage:
        """Return the stage of the complemented labels Yᶜᵒ: Yᵈᵇ, its biased pixels filled by a fit's teacher (Eq. 6)."""
        return self.make.predict(
            "segment-complemented",
            (*self._network, *self.make.layers("segment/complemented")),
            training.told,
            {**self._fitted(training.fit), "data.label_folder": self.debiased / ""},
            self.choices.segment_seed,
            leaves=("about.json", "prediction"),
            each="{id}.png",
        )

    def _first(self, name: str) -> Training:
        c = self.choices
        last = name == c.train and c.rounds == 1
        if name == "dhr":
            return self._dhr(last)
        as_they_are: tuple[Value, tuple[str, ...]] = (self.pseudo_baseline, (c.label_name,))
        learnt: dict[str, tuple[Value, tuple[str, ...]]] = {
            "baseline": as_they_are,
            "adele": as_they_are,
            "supervised": (c.place(c.truth_aug), ()),
        }
        labels, from_where = learnt.get(name, (self.debiased / "", self._told))
        told = (name, c.segmenter, *filter(None, [c.encoder]), *["mixed"] * c.mixing, *from_where)
        return self._train(self.make.layers(f"train/{name}"), labels, told, last)

    def _dhr(self, last: bool) -> Training:
        """DHR (ECCV 2024): MARS' labels, made anew in every step with the pixel features F and the network's own."""
        c, mars = self.choices, self.training("mars")
        if c.dhr_labels == COMPLEMENTED:
            labels = self.complemented(mars)
        else:
            labels = self._masks_of(mars, (*mars.told, MASKS), {"writer.least_share": 0})  # all of them, as published
        told = ("dhr", *mars.told[1:], *[c.dhr_labels] * (c.dhr_labels == COMPLEMENTED))
        yamls = (*self.make.layers("train/dhr"), *self._dense)
        return self._train(yamls, labels / "", told, last, self._features)

    def _later(self, name: str, number: int) -> Training:
        told = (*self.training(name).told, f"round{number}")
        labels = self._masks_of(self.training(name, number - 1), told)
        last = name == self.choices.train and number == self.choices.rounds
        # labels as they are, whoever made them
        return self._train(self.make.layers("train/baseline"), labels / "", told, last)

    def _masks_of(self, before: Training, told: tuple[str, ...], more: Options | None = None) -> Stage:
        """Return the stage of the masks that a network has of its own training images, labels for another fit."""
        return self.make.predict(
            "segment-labels",
            (*self._network, *self.make.layers("segment/complemented", "rounds/labels")),
            told,
            {**self._fitted(before.fit), "data.label_folder": before.labels, **(more or {})},
            self.choices.segment_seed,
            leaves=("about.json",),
            each="{id}.png",
        )

    def _train(
        self, yamls: tuple[Path, ...], labels: Value, told: tuple[str, ...], last: bool, more: Options | None = None
    ) -> Training:
        c, make, seed = self.choices, self.make, self.choices.segment_seed
        mixing = make.layers("mixing/objects") if c.mixing else ()
        fit = make.fit(
            "segment",
            (*self._network, *yamls, *mixing),
            told,
            {"model.network.encoder": c.encoder or None, "data.label_folder": labels, **(more or {})},
            seed,
            all_cores=last,
            training=told[0],
        )
        predicted = make.predict(
            "segment-masks",
            (*self._network, *masks(c.overlays, c.segmenter)),
            (*told, c.network_split),
            {**self._fitted(fit), "data.predict_split": c.network_split},
            seed,
            leaves=("about.json",),
            each="{id}.png",
        )
        return Training(labels, fit, predicted, told)

    @property
    def _network(self) -> tuple[Path, ...]:
        """YAMLs of every job of the last stage's network."""
        return (*self.make.layers("segment/segment"), *segmenter(self.choices.overlays, self.choices.segmenter))

    def _fitted(self, fit: Stage) -> Options:
        """Settings of a job that predicts with what a fit left."""
        return {"model.network.encoder": self.choices.encoder or None, "model.weights": weights_of(fit)}
