"""Fit a vision transformer to the target images by Leopart, without any label (MARS §3.1; Leopart section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from mars_pl.training.moving_average import ema_update
from mars_pl.training.whole_batch import all_rows
from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.frozen import Frozen
from mars_pl.uss.leopart.clustering_loss import clustering_loss
from mars_pl.uss.leopart.foreground import foreground
from mars_pl.uss.leopart.head import LeopartHead
from mars_pl.uss.leopart.network import LeopartNetwork
from mars_pl.uss.leopart.schedule import cosine
from mars_pl.uss.leopart.sinkhorn import sinkhorn
from mars_pl.uss.leopart.token_queue import TokenQueue

PUSHED = 10
"""Tokens an image gives the queue at each step, at most (``src/leopart.py``)."""


class Teacher(Frozen):
    """A network that only follows another one.

    Args:
        network: what it starts as.
    """

    def __init__(self, network: LeopartNetwork) -> None:
        super().__init__()
        self.network = network
        self.freeze()


class LeopartModule(pl.LightningModule):
    """Lightning glue: batches of crops in, the transformer's weights out. Numbers are ``train_voc_config.yml``'s.

    Args:
        backbone: whose transformer is fine-tuned.
        head: makes the head from the number of the backbone's channels.
        lr: of the transformer; to 0 along a cosine.
        head_lr: of the head, likewise.
        weight_decay: at the start and at the end, along a cosine; biases and norms have none.
        momentum: share of itself that the teacher keeps a step, at the start; 1 at the end, along a cosine.
        drop_path: of the student, see ``LeopartNetwork``.
        epsilon: of ``sinkhorn``.
        iterations: of ``sinkhorn``.
        temperature: of the student's prediction.
        mass: share of the attention that is foreground.
        blur: of the attention, in tokens.
        queue: earlier foreground tokens that are assigned along, for each global crop, over all processes; 0 for none.
    """

    def __init__(
        self,
        backbone: FrozenViT,
        head: Callable[[int], nn.Module] = LeopartHead,
        lr: float = 1e-5,
        head_lr: float = 1e-4,
        weight_decay: tuple[float, float] = (0.04, 0.5),
        momentum: float = 0.9995,
        drop_path: float = 0.1,
        epsilon: float = 0.05,
        iterations: int = 3,
        temperature: float = 0.1,
        mass: float = 0.6,
        blur: float = 0.6,
        queue: int = 0,
    ) -> None:
        super().__init__()
        # One transformer, two heads: the teacher's starts from other random numbers than the student's, as published.
        self.network = LeopartNetwork(backbone, cast(LeopartHead, head(backbone.dim)), drop_path)
        self.teacher = Teacher(LeopartNetwork(backbone, cast(LeopartHead, head(backbone.dim))))
        self.lr, self.head_lr, self.weight_decay, self.momentum = lr, head_lr, weight_decay, momentum
        self.epsilon, self.iterations, self.temperature = epsilon, iterations, temperature
        self.mass, self.blur = mass, blur
        dim = self.network.head.prototypes.in_features
        self.queues = nn.ModuleList(TokenQueue(queue, dim) for _ in range(2 if queue else 0))

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Read ``global_crops`` (B, 2, 3, S, S), ``local_crops`` (B, V, 3, s, s) and ``crop_boxes`` (B, 2 + V, 4)."""
        large, small = batch["global_crops"], batch["local_crops"]
        size = len(large)
        for network in (self.network, self.teacher.network):
            network.head.normalise_prototypes()
        assignments, shown = self._assign(large)
        predictions = [
            scores
            for crops in (large, small)
            if crops.shape[1]
            for scores in self.network.scores(self.network(_by_crop(crops))).split(size)
        ]
        loss = clustering_loss(assignments, shown, predictions, batch["crop_boxes"], self.temperature)
        self.log_dict({"train/loss": loss, "train/foreground": shown.float().mean()}, batch_size=size)
        return loss

    @torch.no_grad()
    def _assign(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return the teacher's assignments (2, B, K, h, w) of the global crops' tokens and their foreground."""
        teacher, size = self.teacher.network, len(crops)
        vectors, attention = teacher.with_attention(_by_crop(crops))
        shown = foreground(attention, self.mass, self.blur)
        parts = []
        for g, (tokens, mask) in enumerate(zip(vectors.split(size), shown.split(size), strict=True)):
            flat = tokens.movedim(1, -1)
            queue = cast(TokenQueue, self.queues[g]) if self.queues else None
            # Earlier tokens are scored by the student's prototypes, this batch's by the teacher's own, as published.
            earlier = [self.network.scores(queue.share)] if queue is not None and queue.full else []
            scores = torch.cat([*earlier, teacher.scores(flat.flatten(0, 2))])
            shares = sinkhorn(scores, self.epsilon, self.iterations)
            # The queue's rows are only balanced along: the last B·h·w are this batch's, back to (B, K, h, w).
            parts.append(shares[-flat.shape[:3].numel() :].view(*flat.shape[:3], -1).movedim(-1, 1))
            if queue is not None:
                everyones, theirs = all_rows(flat), all_rows(mask.byte()).bool()
                queue.push(everyones[theirs], PUSHED * len(everyones))
        return torch.stack(parts), torch.stack(shown.split(size))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW on transformer and head, each with and without weight decay; the rates fall to 0 along a cosine."""
        groups: list[dict[str, Any]] = []
        for part, lr in ((self.network.vit, self.lr), (self.network.head, self.head_lr)):
            learning = [(name, value) for name, value in part.named_parameters() if value.requires_grad]
            free = [value for name, value in learning if name.endswith(".bias") or value.ndim == 1]
            decayed = [value for name, value in learning if not (name.endswith(".bias") or value.ndim == 1)]
            groups += [{"params": decayed, "lr": lr, "decayed": True}]
            groups += [{"params": free, "lr": lr, "decayed": False, "weight_decay": 0.0}]
        optimizer = AdamW(groups, weight_decay=self.weight_decay[0])
        total = self._total()
        schedule = LambdaLR(optimizer, lambda step: cosine(1.0, 0.0, step, total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Set this step's weight decay, and move the teacher towards the student as the step finds it, as published."""
        decay = cosine(*self.weight_decay, self.global_step, self._total())
        for group in optimizer.param_groups:
            if group["decayed"]:
                group["weight_decay"] = decay
        momentum = cosine(self.momentum, 1.0, self.global_step, self._total())
        ema_update(self.teacher.network, self.network, momentum)
        self.log("teacher/momentum", momentum)

    def export(self) -> nn.Module:
        """Give the network whose weights the next stage reads: the student's transformer, without the head."""
        return self.network.vit

    def _total(self) -> int:
        return max(int(self.trainer.estimated_stepping_batches), 1)


def _by_crop(crops: Tensor) -> Tensor:
    """Crops (B, V, 3, S, S) as one batch (V · B, 3, S, S), the first crops of all images first."""
    return crops.transpose(0, 1).flatten(0, 1)
