"""The stages of §3.1 that make pseudo labels Yᵇ, of every WSSS method."""

from __future__ import annotations

from mars_pl.pipeline.choices import CLASSIFIER
from mars_pl.pipeline.maker import Maker, Options, weights_of
from mars_pl.pipeline.methods import Method, method
from mars_pl.pipeline.settings.yamls import of_method
from mars_pl.pipeline.stage import Value


def pseudo_labels(make: Maker) -> tuple[Value, Value]:
    """Labels Yᵇ of a classifier's scores, at once or after a walk along a propagation network's affinities.

    Returns:
        Those MARS starts from, and the baseline's: the same scores cut at two background scores.
    """
    c, own = make.choices, method(make.choices.wsss)
    trained = {
        name: of_method(c.overlays, c.wsss, name) for name in dict.fromkeys([own.classifier, own.stands_on]) if name
    }
    begun = _begun(make, own)
    fits = {
        name: make.fit(
            "wsss-classifier",
            yamls,
            (name, *[c.wsss] * (yamls != make.layers(f"wsss/{name}"))),
            begun if name == own.classifier else {},
        )
        for name, yamls in trained.items()
    }
    scored: Options = {"model.weights": weights_of(fits[own.classifier])}
    walking = trained[own.classifier]
    if own.propagation:
        scores = make.predict(
            "wsss-scores",
            (*trained[own.classifier], *of_method(c.overlays, c.wsss, own.scores)),
            (c.wsss,),
            scored,
            leaves=("confident",),
            each="{id}.npz",
        )
        walking = make.layers(f"wsss/{own.propagation}")
        start = weights_of(fits[own.stands_on]) if c.propagation_from == CLASSIFIER else None
        learns: Options = {"data.label_folder": scores / "confident", own.backbone: start}
        network = make.fit("wsss-propagation", walking, (c.wsss,), learns)
        scored = {"data.score_folder": scores / "", "model.weights": weights_of(network)}
    labels = make.predict(
        "wsss-labels",
        (*walking, *of_method(c.overlays, c.wsss, own.labels or f"{c.wsss}_labels")),
        (c.wsss,),
        scored,
        leaves=("mars", "baseline"),
        each="mars/{id}.png",
        measured=True,
    )
    return labels / "mars", labels / "baseline"


def _begun(make: Maker, own: Method) -> Options:
    """Settings of a classifier that starts from another's, is judged by a CLIP, or learns from further pictures."""
    c = make.choices
    begun: dict[str, Value] = {}
    if own.begins_with:
        first = make.fit("wsss-classifier", make.layers(f"wsss/{own.begins_with}"), (own.begins_with,), {})
        begun["model.weights"] = weights_of(first)
    if own.captioned and c.captions:
        captions: Options = {"data.training_set.folder": c.place(c.captions)}
        clip = make.fit("wsss-clip", make.layers(f"wsss/{c.wsss}/clip"), (c.wsss,), captions)
        begun["model.clip.weights"] = weights_of(clip)
    return begun | ({"data.training_set.folder": c.place(c.ood)} if own.outside else {})
