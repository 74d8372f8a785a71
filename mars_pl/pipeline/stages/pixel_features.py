"""Stages of the pixel features F (§3.1), which centroids, debiased labels and DHR read."""

from __future__ import annotations

from pathlib import Path

from mars_pl.pipeline.maker import Maker, Options, weights_of
from mars_pl.pipeline.settings.configs import find_config
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.pipeline.stage import Output


def tokens_of(make: Maker, features: Options) -> Options:
    """Settings of an extractor of the tokens alone: what the features are made of, without a head and its weights.

    Args:
        make: of the run.
        features: what ``pixel_features`` returned.
    """
    yaml = find_config(f"uss/features_{make.choices.uss}")
    head = read_settings(yaml, "model", "init_args", "feature_extractor", "init_args").get("head")
    return {name: value for name, value in features.items() if not (head and name.endswith(".weights"))}


def pixel_features(make: Maker) -> Options:
    """Settings of the feature extractor: the backbone, and the weights that STEGO or Leopart left."""
    c = make.choices
    vit = find_config(f"backbone/{c.backbone}")
    backbone: Options = {"model.backbone": vit}
    extractor: Options = {"model.feature_extractor.backbone": vit}
    if c.uss == "backbone":
        return extractor
    pairs: Options = {}
    yamls = make.layers(f"uss/{c.uss}")
    if c.uss.startswith("stego"):  # learns from each crop and one of its nearest neighbours
        found = make.predict(
            "uss-neighbours",
            make.layers("uss/crops", "uss/neighbours"),
            (c.backbone,),
            {**backbone, "writer.tokens": c.tokens},
            leaves=("neighbours.safetensors", *(["tokens.npy"] * c.tokens)),
        )
        tokens = found / "tokens.npy" if c.tokens else None
        pairs = {"data.training_set.neighbours": found / "neighbours.safetensors", "data.training_set.tokens": tokens}
        yamls = make.layers("uss/crops", f"uss/{c.uss}")
    fit = make.fit("uss-fit", yamls, (c.uss, c.backbone), {**backbone, **pairs})
    return {**extractor, "model.feature_extractor.weights": weights_of(fit)}


def layers_of_features(make: Maker, stored: Output | None = None) -> tuple[Path, ...]:
    """Return the YAMLs of a job that reads pixel features: a folder's, or those that the network is asked for."""
    return make.layers("uss/stored_features" if stored else f"uss/features_{make.choices.uss}")
