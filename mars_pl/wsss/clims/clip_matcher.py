"""CLIP as a judge: how like a sentence a picture is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mars_pl.wsss.clims.clip_network import make_clip


class CLIPMatcher:
    """A frozen CLIP, no part of the network that learns: it is in no checkpoint and no file of weights.

    Args:
        name: see `make_clip`; ``ViT-B-32-quickgelu`` for OpenAI's weights.
        tag: likewise, ``openai``; None takes random weights, for tests.
        weights: likewise.
    """

    def __init__(
        self, name: str = "ViT-B-32-quickgelu", tag: str | None = "openai", weights: str | None = None
    ) -> None:
        self.name, self.tag, self.weights = name, tag, weights
        self._model: Any = None
        self._tokens: Any = None
        self._sentences: dict[str, Tensor] = {}

    def load(self, device: torch.device) -> None:
        """Build the model on a device, once.

        Raises:
            ValueError: in one line, where the package, the model or its weights are not to be had.
        """
        if self._model is None:
            self._model, self._tokens = make_clip(self.name, self.tag, self.weights)
            self._model.eval().requires_grad_(False)
        self._model.to(device)

    @property
    def side(self) -> int:
        """Side of the square pictures that it looks at, in pixels."""
        size = self._model.visual.image_size
        return int(size[0] if isinstance(size, tuple | list) else size)

    def pictures(self, pictures: Tensor) -> Tensor:
        """Return unit features (N, D) of float pictures (N, 3, side, side), with their graph."""
        with torch.autocast(pictures.device.type, enabled=False):
            return torch.nn.functional.normalize(self._model.encode_image(pictures.float()), dim=-1)

    def sentences(self, sentences: Sequence[str], device: torch.device) -> Tensor:
        """Return unit features (N, D) of sentences; each is read once."""
        new = [sentence for sentence in dict.fromkeys(sentences) if sentence not in self._sentences]
        if new:
            with torch.no_grad(), torch.autocast(device.type, enabled=False):
                found = self._model.encode_text(self._tokens(new).to(device)).float()
            self._sentences |= dict(zip(new, torch.nn.functional.normalize(found, dim=-1), strict=True))
        return torch.stack([self._sentences[sentence] for sentence in sentences]).to(device)
