"""Stages of §3.4: fits of the segmenter, the masks of their networks, and complemented labels Yᶜᵒ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mars_pl.pipeline.choices import COMPLEMENTED, MASKS
from mars_pl.pipeline.maker import Maker, Options, weights_of
from mars_pl.pipeline.settings.yamls import masks, segmenter
from mars_pl.pipeline.stage import Stage, Value
from mars_pl.pipeline.stages.debiasing import told_of_labels
from mars_pl.pipeline.stages.pixel_features import layers_of_features


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


class Trainings:
    """§3.4 Segmentation: a student and its EMA teacher, which fills biased pixels (Eq. 6) for the WCE loss (Eq. 7).

    Trainings share everything but the label folder and the complement. Each is made once, when it is asked for.

    Args:
        make: of the run.
        pseudo: labels Yᵇ of the baseline.
        debiased: the stage of Yᵈᵇ.
        features: settings of the pixel features F, which DHR reads.
    """

    def __init__(self, make: Maker, pseudo: Value, debiased: Stage, features: Options) -> None:
        self.make = make
        self.choices = make.choices
        self.pseudo = pseudo
        self.debiased = debiased
        self.features = features
        self._made: dict[tuple[str, int], Training] = {}

    def training(self, name: str, number: int = 1) -> Training:
        """Return a training.

        Args:
            name: ``baseline`` and ``adele`` learn Yᵇ, ``supervised`` the truth, ``dhr`` what MARS' network made of Yᵈᵇ
                (§ DHR), every other one Yᵈᵇ.
            number: of the round. From 2 on (not in the paper) it learns the masks that the network of the round before
                has of its own training images.
        """
        if (name, number) not in self._made:
            self._made[name, number] = self._first(name) if number == 1 else self._later(name, number)
        return self._made[name, number]

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
        as_they_are: tuple[Value, tuple[str, ...]] = (self.pseudo, (c.label_name,))
        learnt: dict[str, tuple[Value, tuple[str, ...]]] = {
            "baseline": as_they_are,
            "adele": as_they_are,
            "supervised": (c.place(c.truth_aug), ()),
        }
        labels, from_where = learnt.get(name, (self.debiased / "", told_of_labels(c)))
        told = (name, c.segmenter, *filter(None, [c.encoder]), *["mixed"] * c.mixing, *from_where)
        return self._train((*self.make.layers(f"train/{name}"), *self._mixing()), labels, told, last)

    def _dhr(self, last: bool) -> Training:
        """DHR (ECCV 2024): MARS' labels, made anew in every step with the pixel features F and the network's own."""
        c, mars = self.choices, self.training("mars")
        if c.dhr_labels == COMPLEMENTED:
            labels = self.complemented(mars)
        else:
            labels = self._masks_of(mars, (*mars.told, MASKS), {"writer.least_share": 0})  # all of them, as published
        told = ("dhr", *mars.told[1:], *[c.dhr_labels] * (c.dhr_labels == COMPLEMENTED))
        yamls = (*self.make.layers("train/dhr"), *layers_of_features(self.make))
        return self._train(yamls, labels / "", told, last, self.features)

    def _later(self, name: str, number: int) -> Training:
        told = (*self.training(name).told, f"round{number}")
        labels = self._masks_of(self.training(name, number - 1), told)
        last = name == self.choices.train and number == self.choices.rounds
        yamls = self.make.layers("train/baseline")  # labels as they are, whoever made them
        return self._train((*yamls, *self._mixing("rounds/mixing")), labels / "", told, last)

    def _mixing(self, *more: str) -> tuple[Path, ...]:
        """Return the YAMLs of mixing, and ``more`` on top of them; none where the run does not mix."""
        return self.make.layers("mixing/objects", *more) if self.choices.mixing else ()

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
        fit = make.fit(
            "segment",
            (*self._network, *yamls),
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
