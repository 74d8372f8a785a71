"""CLIPs by their names, built by open_clip (an extra, imported when it is needed): its own, and a small one of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from mars_pl.training.weight_files import find_weights
from mars_pl.training.weights import load_weights

Tokens = Callable[[list[str]], Tensor]
"""Sentences → int64 (N, context length)."""

OWN: dict[str, dict[str, Any]] = {
    # Ours: for generated scenes of 128×96 and their captions, on two cores.
    "clip_scenes": {
        "embed_dim": 64,
        "vision_cfg": {"layers": [1, 1, 1, 1], "width": 24, "head_width": 32, "image_size": 96},
        "text_cfg": {"layers": 1, "width": 64, "heads": 2, "context_length": 24},
    }
}
"""Name → arguments of ``open_clip.CLIP``, in the terms of its configurations."""


def make_clip(name: str, tag: str | None = None, weights: str | None = None) -> tuple[Any, Tokens]:
    """Build a CLIP and what makes tokens of sentences for it.

    Args:
        name: one of ours, or open_clip's model.
        tag: of weights that open_clip downloads or has in its cache; None takes random ones.
        weights: or a file of them, here or in the folder of weights; then nothing is downloaded.

    Raises:
        ValueError: in one line, where the package, the model or its weights are not to be had.
    """
    try:
        import open_clip
    except ImportError:
        raise ValueError("clip: CLIMS needs the package open_clip_torch; pip install 'mars-pl[clip]'") from None
    if name in OWN:
        own = open_clip.CLIP(**OWN[name])
        if weights:
            load_weights(own, weights)
        elif tag:
            raise ValueError(f"clip: {name} has no published weights ({tag}); name a file of its weights")
        return own, open_clip.SimpleTokenizer(context_length=own.context_length)
    pretrained = str(find_weights(weights)) if weights else tag
    try:
        return open_clip.create_model(name, pretrained=pretrained), open_clip.get_tokenizer(name)
    except Exception as error:  # the hub and open_clip raise all sorts where a name or a network is missing
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ValueError(
            f"clip: {name} with {pretrained} is not to be had ({reason}); name a file of its weights as "
            "model.clip.weights, or a model and tag of open_clip"
        ) from None
