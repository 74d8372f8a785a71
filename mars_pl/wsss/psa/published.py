"""Weights that jiwoon-ahn/psa's train_cls.py and train_aff.py saved (and SEAM's train_aff.py), under our names."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mars_pl.networks.wide_resnet38_names import with_heads

AFFINITY = {"f8_3": "narrow.0", "f8_4": "narrow.1", "f8_5": "narrow.2", "f9": "merge"}
"""Layers of network/resnet38_aff.py beside the backbone, and of `AffinityNet`."""

CLASSIFIER = {"fc8": "classifier"}
"""That of network/resnet38_cls.py."""


def published_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a state dict of PSA on Wide ResNet-38.

    Args:
        state: of an AffinityNet (res38_aff.pth), which becomes that of `AffinityNet` on `WideResNet38`; or of the
            classifier (res38_cls.pth), whose ``backbone`` an AffinityNet reads as ``classifier_weights``.

    Raises:
        ValueError: where tensors are missing or are none of PSA's.
    """
    return with_heads(state, AFFINITY if "f9.weight" in state else CLASSIFIER, "PSA")
