"""Lightning glue that fits a CLIP on captioned pictures, where no published one knows the things of the data."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.networks.normalise import Normalise
from mars_pl.training.optimisation import Kind
from mars_pl.training.over_processes import place
from mars_pl.training.trained_module import TrainedModule
from mars_pl.wsss.clims.clip_network import make_clip

LARGEST_SCALE = math.log(100)
"""Of the logarithm of the logits' scale (CLIP section 2.5)."""


class CaptionModule(TrainedModule):
    """Pictures and their captions are to find each other among those of all processes' batches (CLIP section 2.3).

    Pictures are normalised by ImageNet's statistics, as CLIMS hands its masked images to CLIP.

    Args:
        name: of the CLIP that learns, see `make_clip`.
        tag: weights that it starts from; None for random ones.
        lr: see ``TrainedModule``, as the others.
        optimizer: likewise.
        momentum: likewise.
        weight_decay: of all but biases, gains and the scale of the logits (open_clip).
        weights: a file to start from in place of those.
    """

    def __init__(
        self,
        name: str,
        tag: str | None = None,
        lr: float = 1e-3,
        optimizer: Kind = "adamw",
        momentum: float = 0.9,
        weight_decay: float = 0.1,
        weights: str | None = None,
    ) -> None:
        network, self.tokens = make_clip(name, tag)
        super().__init__(
            network,
            lr=lr,
            optimizer=optimizer,
            head_factor=1.0,
            momentum=momentum,
            weight_decay=weight_decay,
            weights=weights,
        )
        self.normalise = Normalise()

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """CLIP's loss of a batch of pictures and captions."""
        from open_clip import ClipLoss

        clip: Any = self.network
        pictures = F.normalize(clip.encode_image(self.normalise(batch["image"])).float(), dim=-1)
        captions = F.normalize(clip.encode_text(self.tokens(batch["caption"]).to(self.device)).float(), dim=-1)
        rank, processes = place()
        whole = ClipLoss(local_loss=True, gather_with_grad=True, rank=rank, world_size=processes)
        loss: Tensor = whole(pictures, captions, clip.logit_scale.exp())
        self.log_training(batch, prog_bar=True, loss=loss)
        self.log_training(batch, scale=clip.logit_scale.exp().detach())
        return loss

    def on_before_zero_grad(self, optimizer: Any) -> None:
        """Keep the scale of the logits where CLIP keeps it, from 1 to 100."""
        scale: Any = self.network.logit_scale
        with torch.no_grad():
            scale.clamp_(0, LARGEST_SCALE)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Spare vectors and numbers the decay, as open_clip does."""
        learning = [p for p in self.network.parameters() if p.requires_grad]
        return [
            {"params": [p for p in learning if p.ndim >= 2]},
            {"params": [p for p in learning if p.ndim < 2], "weight_decay": 0.0},
        ]
