"""Stages of §3.2 and §3.3: debiased centroids 𝒱ᶜ and debiased labels Yᵈᵇ, by Eq. 4 or by a probe (ours)."""

from __future__ import annotations

from itertools import chain

from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.maker import Maker, Options, given
from mars_pl.pipeline.stage import Output, Stage, Value, setting
from mars_pl.pipeline.stages.pixel_features import layers_of_features, tokens_of

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


def debiased_centroids(make: Maker, pseudo: Value, features: Options, stored: Output | None) -> Stage:
    """§3.2 𝒱ᶜ: K-means in each region, distances to all background (Eq. 1), the mean (Eq. 2) of the α farthest (Eq. 3).

    Args:
        make: of the run.
        pseudo: labels Yᵇ.
        features: settings of the pixel features F.
        stored: a folder of features to read in place of asking the network.
    """
    c = make.choices
    return make.predict(
        "debias-centroids",
        (*make.layers(f"debias/{c.centroids}"), *layers_of_features(make, stored)),
        _told_of_centroids(c),
        {
            "data.label_folder": pseudo,
            **({"data.feature_folder": stored} if stored else features),
            "model.foreground_clusters": c.foreground_clusters,
            "model.background_clusters": c.background_clusters,
            "writer.alpha": c.alpha,
            "writer.features": FEATURES if c.features else None,
        },
        leaves=("centroids.safetensors", "candidates.parquet", "selection.json", *([FEATURES] * c.features)),
        measured=True,
    )


def debiased_labels(make: Maker, pseudo: Value, features: Options, centroids: Stage, stored: Output | None) -> Stage:
    """§3.3 Yᵈᵇ: cosine to 𝒱ᶜ, ReLU (Eq. 4), refinement; what is unlike becomes 254 (Eq. 5). Or a probe's (ours).

    Args:
        make: of the run.
        pseudo: labels Yᵇ.
        features: settings of the pixel features F.
        centroids: the stage of 𝒱ᶜ.
        stored: as for `debiased_centroids`; finer features than the centroids' (``shifts``) are asked for all the same.
    """
    c = make.choices
    chosen = DEBIAS if c.debias == PROBED else c.debias
    of_labels = [make.layers(f"debias/{name}") for name in dict.fromkeys((DEBIAS, chosen))]
    kept = centroids / FEATURES if c.features else stored if c.shifts == 1 else None
    labels = make.predict(
        "debias-labels",
        (*chain(*of_labels), *layers_of_features(make, kept)),
        _told_of_eq_4(c),
        {
            "data.label_folder": pseudo,
            **({"data.feature_folder": kept} if kept else features),
            "model.centroids": centroids / "centroids.safetensors",
            "model.feature_extractor.shifts": _shifts(c),
            "writer.exponent": c.gamma,
        },
        leaves=("removed.json",),
        each="{id}.png",
    )
    return _probed(make, pseudo, tokens_of(make, features), labels) if c.debias == PROBED else labels


def _told_of_centroids(c: Choices) -> tuple[str, ...]:
    """Return the choices in the name of the centroids' folder."""
    clusters = (*given("kfg", c.foreground_clusters), *given("kbg", c.background_clusters))
    return (c.label_name, c.uss, c.backbone, c.centroids, *given("alpha", c.alpha), *clusters)


def told_of_labels(c: Choices) -> tuple[str, ...]:
    """Return the choices in the name of the debiased labels' folder."""
    return (*_told_of_eq_4(c), *[PROBED] * (c.debias == PROBED))


def _told_of_eq_4(c: Choices) -> tuple[str, ...]:
    """Return the choices in the name of the folder of Eq. 5's labels, which a probe may learn from."""
    own = () if c.debias in (DEBIAS, PROBED) else (c.debias,)
    return (*_told_of_centroids(c), *own, *given("shifts", _shifts(c)), *given("gamma", c.gamma))


def _probed(make: Maker, pseudo: Value, tokens: Options, taught_by: Stage) -> Stage:
    """Labels by a probe in place of Eq. 4 (ours): it learns from the labels of Eq. 5 what an object is."""
    told = told_of_labels(make.choices)
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
            "data.label_folder": pseudo,
            **same,
            "model.probe": probe / "probe.safetensors",
            "model.feature_extractor.shifts": _shifts(make.choices),
        },
        leaves=("removed.json",),
        each="{id}.png",
    )


def _shifts(c: Choices) -> int | None:
    """Return at how many shifted places a side features are read; None where at their own alone, the YAMLs' default."""
    return c.shifts if c.shifts != 1 else None
