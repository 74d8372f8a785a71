"""The WSSS methods of §3.1: whose classifier scores images, which network carries the scores to the boundaries."""

from __future__ import annotations

from dataclasses import dataclass

from mars_pl.pipeline.settings.yamls import shipped

NETWORK, AFFINITY = "model.network.classifier_weights", "model.affinity_net.classifier_weights"


@dataclass(frozen=True)
class Method:
    """The YAMLs in configs/wsss of a method's stages.

    A method that is built on another one takes its YAMLs and lays its own ``wsss/<method>/<name>`` over them.

    Attributes:
        classifier: fits the network that scores.
        scores: predicts score files and confident labels; empty where scores become labels at once.
        propagation: fits the propagation network on them.
        stands_on: the method whose classifier's backbone that network may start from.
        backbone: the option that names it.
        labels: predicts the labels; ``<method>_labels`` where it is empty.
        begins_with: the method whose classifier the own one starts from; empty where it starts as every network.
        outside: its classifier learns from pictures that show none of the classes too, the folder of ``ood=``.
        captioned: its classifier is judged by a CLIP, which learns from ``captions=`` first where that names a folder.
    """

    classifier: str
    scores: str = ""
    propagation: str = ""
    stands_on: str = ""
    backbone: str = NETWORK
    labels: str = ""
    begins_with: str = ""
    outside: bool = False
    captioned: bool = False


METHODS = {
    "cam": Method("cam"),
    "irn": Method("cam", "cam_scores", "irn_propagation", "cam"),
    "advcam": Method("cam", "advcam_scores", "irn_propagation", "cam"),
    "wood": Method(
        "cam", "advcam_scores", "irn_propagation", "cam", labels="advcam_labels", begins_with="cam", outside=True
    ),
    "clims": Method(
        "cam", "cam_scores", "irn_propagation", "cam", labels="irn_labels", begins_with="cam", captioned=True
    ),
    "seam": Method("seam", "seam_scores", "seam_propagation", "seam", AFFINITY),
    "rsepm": Method("rsepm", "rsepm_scores", "rsepm_propagation", "cam"),
}
"""A method of one's own that needs no propagation is not listed: its two YAMLs are enough."""


def method(name: str) -> Method:
    """Return a method by its name: a known one, or one of a person's own by its YAMLs ``wsss/<name>``."""
    propagated = Method(name, f"{name}_scores", f"{name}_propagation", name)
    return METHODS.get(name) or (propagated if shipped(f"wsss/{name}_propagation") else Method(name))
