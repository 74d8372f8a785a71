"""Weights that ``step/train_cam.py`` of IRN or AdvCAM saved, under the names of our classifier."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

BACKBONE, CLASSIFIER = "resnet50.", "classifier.weight"


def published_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the state dict of a published classifier for `CAMClassifier` on timm's ``resnet50``, ``dilated: false``.

    The file names each tensor twice or three times (``stage1.``, ``backbone.``, ``newly_added.``); one name is kept.

    Raises:
        ValueError: where it holds no tensors of such a classifier.
    """
    if CLASSIFIER not in state or not any(key.startswith(BACKBONE) for key in state):
        raise ValueError(
            f"no weights of a CAM classifier: wants {CLASSIFIER} and keys of {BACKBONE} (first: {sorted(state)[:1]})"
        )
    backbone = {
        key.replace(BACKBONE, "backbone.", 1): value for key, value in state.items() if key.startswith(BACKBONE)
    }
    return backbone | {CLASSIFIER: state[CLASSIFIER]}
