"""Weights that jiwoon-ahn/irn's ``step/train_irn.py`` saved, under the names of our network."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

BACKBONE = "resnet50."
BRANCHES = ("fc_edge", "fc_dp")
MEAN_SHIFT = "fc_dp7.4."
"""Running mean of the displacement field, which instance masks want and semantic labels do not."""


def published_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the state dict of a published IRN for `IRNetwork` on timm's ``resnet50`` with ``dilated: false``.

    The file names each tensor twice or three times (``stage1.``, ``backbone.``, ``edge_layers.``, …) and holds the
    path index; one name of each tensor is kept.

    Raises:
        ValueError: where it holds no tensors of an IRN.
    """
    renamed = {
        key.replace(BACKBONE, "backbone.", 1): value
        for key, value in state.items()
        if key.startswith((BACKBONE, *BRANCHES)) and not key.startswith(MEAN_SHIFT)
    }
    if not any(key.startswith(BRANCHES) for key in renamed):
        raise ValueError(f"not the weights of an IRN: no key begins with fc_edge (first: {sorted(state)[:1]})")
    return renamed
