"""CLIP as a judge: how like a sentence a picture is, by open_clip (an extra, imported when it is needed)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mars_pl.training.weight_files import find_weights


class CLIPMatcher:
    """A frozen CLIP, no part of the network that learns: it is in no checkpoint and no file of weights.

    Args:
        name: of open_clip's model, ``ViT-B-32-quickgelu`` for OpenAI's weights.
        tag: of weights that open_clip downloads or has in its cache, ``openai``; None takes random ones, for tests.
        weights: or a file of them, here or in the folder of weights; then nothing is downloaded.
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
            try:
                import open_clip
            except ImportError:
                raise ValueError("clip: CLIMS needs the package open_clip_torch; pip install 'mars-pl[clip]'") from None
            pretrained = str(find_weights(self.weights)) if self.weights else self.tag
            try:
                self._model = open_clip.create_model(self.name, pretrained=pretrained)
                self._tokens = open_clip.get_tokenizer(self.name)
            except Exception as error:  # the hub and open_clip raise all sorts where a name or a network is missing
                reason = " ".join(str(error).split())[:160] or type(error).__name__
                raise ValueError(
                    f"clip: {self.name} with {pretrained} is not to be had ({reason}); name a file of its weights as "
                    "model.clip.weights, or a model and tag of open_clip"
                ) from None
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
