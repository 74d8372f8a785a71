"""Lightning glue of AffinityNet: trains on confident labels, predicts scores that have walked along the affinities."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.networks.aspp import resize
from mars_pl.training.optimisation import Kind, groups_by_role
from mars_pl.training.trained_module import TrainedModule
from mars_pl.wsss.cam.activation import resize_image
from mars_pl.wsss.propagation.affinity_loss import Pairs, affinity_loss, pair_labels
from mars_pl.wsss.propagation.background_power import background_power
from mars_pl.wsss.propagation.cells import inner_starts, pad_to_cells
from mars_pl.wsss.propagation.confident_label import UNSURE, winners
from mars_pl.wsss.propagation.random_walk import half_disc, random_walk
from mars_pl.wsss.psa.affinity_net import AffinityNet, pair_affinity

EPSILON = 1e-12
"""Decides for the background where neither it nor a class has walked."""


def walked_scores(
    scores: Tensor, affinity: Tensor, offsets: Tensor, stride: int, alpha: float, beta: float, steps: int
) -> Tensor:
    """Let scores and their background walk, and weigh each class against the background (SEAM's infer_aff.py).

    Args:
        scores: (K, H, W) in [0, 1].
        affinity: (O, h, w) on the grid of the scores padded to whole cells.
        offsets: int64 (O, 2), of `half_disc`.
        stride: pixels of a cell's side.
        alpha: power of the background.
        beta: power of the affinity.
        steps: of the walk.

    Returns:
        (K, H, W) in [0, 1): class / (class + background). At a constant background score of 0.5 their argmax is that
        of the published code, which compares the classes with the background that walked.
    """
    height, width = scores.shape[-2:]
    maps = pad_to_cells(torch.cat([background_power(scores, alpha), scores]), stride)
    cells = random_walk(F.avg_pool2d(maps, stride), offsets, affinity, beta, steps)
    walked = resize(cells[None], maps.shape[-2:])[0, :, :height, :width]
    return walked[1:] / (walked[1:] + walked[:1] + EPSILON)


class AffinityModule(TrainedModule):
    """PSA's propagation: learns affinities of cells within a radius, and lets class maps walk along them.

    It learns from the means over cells of the maps that confident labels are drawn from, see `CellCrops`.

    Args:
        affinity_net: draws the features.
        lr: of the backbone's weights.
        optimizer: PSA's SGD, or AdamW.
        head_factor: what is new learns this many times faster.
        momentum: the published code has effectively none (5e-4, by the order of its arguments).
        weight_decay: on all parameters but biases.
        radius: of the pairs, in cells.
        alpha: power of the background; SEAM has 6, PSA 16.
        beta: power of the affinity; both have 8.
        steps: of the walk; SEAM has 2⁶, PSA 2⁸.
        border_pairs: let pairs count that start within the radius of the left, the right or the lower side. The
            published code leaves them out, in training and in the walk, so that none reaches off the grid: 14 % of the
            pairs of a crop of 56×56 cells, a quarter on a grid of 24×32. Cells along a side are then tied by pairs from
            further inside alone. What that costs the labels was not measured.
        scale: of the image's sides, at which predict draws affinities and walks: cells of 8 pixels are made for
            images of VOC's size, and smaller pictures want to be enlarged.
        ignore_index: label code of what is unsure (linked).
        weights: of a finished fit, for predict.
    """

    network: AffinityNet

    def __init__(
        self,
        affinity_net: AffinityNet,
        lr: float = 0.01,
        optimizer: Kind = "sgd",
        head_factor: float = 10.0,
        momentum: float = 5e-4,
        weight_decay: float = 5e-4,
        radius: int = 5,
        alpha: float = 6.0,
        beta: float = 8.0,
        steps: int = 64,
        border_pairs: bool = False,
        scale: float = 1.0,
        ignore_index: int = UNSURE,
        weights: str | None = None,
    ) -> None:
        super().__init__(
            affinity_net,
            lr=lr,
            optimizer=optimizer,
            head_factor=head_factor,
            momentum=momentum,
            weight_decay=weight_decay,
            weights=weights,
        )
        self.walk: dict[str, Any] = {"alpha": alpha, "beta": beta, "steps": steps}
        self.border_pairs, self.scale = border_pairs, scale
        self.ignore_index = ignore_index
        self.offsets = half_disc(radius)

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Affinity loss of a batch of crops and of the means over their cells of maps that compete.

        Raises:
            ValueError: where the batch's cells are not those of the network.
        """
        affinity = pair_affinity(self.network(batch["image"]).float(), self.offsets)
        labels = winners(batch["competing"], self.ignore_index)
        if labels.shape[-2:] != affinity.shape[-2:]:
            raise ValueError(f"data.training_set.cell: {self.network.stride} pixels in this network; set it")
        pairs = pair_labels(labels, self.offsets, self.ignore_index)
        counted = self._counted(affinity)
        loss = affinity_loss(affinity, Pairs(*(kind & counted for kind in pairs)))
        self.log_training(batch, prog_bar=True, loss=loss)
        return loss

    def predict_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Predict one whole image: its ``class_ids`` int64 (K,), and ``scores`` float32 (K, H, W) that have walked."""
        out = {"id": batch["id"][0], "class_ids": batch["class_ids"][0], "scores": batch["scores"][0]}
        if len(out["scores"]):
            whole = batch["image"].shape[-2:]
            size = (max(1, round(whole[0] * self.scale)), max(1, round(whole[1] * self.scale)))
            features = self.network(resize_image(batch["image"], size)).float()
            affinity = pair_affinity(features, self.offsets)[0]
            affinity = affinity * self._counted(affinity)
            scores = resize(batch["scores"], size)[0]
            scores = walked_scores(scores, affinity, self.offsets, self.network.stride, **self.walk)
            out["scores"] = resize(scores[None], whole)[0]
        return out

    def _counted(self, affinity: Tensor) -> Tensor:
        """Cells (h, w) whose pairs count, of affinities (…, O, h, w)."""
        reach = 0 if self.border_pairs else int(self.offsets.max())
        return inner_starts(affinity.shape[-2:], reach).to(affinity.device)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let what is new learn faster."""
        net = self.network
        return groups_by_role([net.backbone], [net.narrow, net.merge], self.lr, self.head_factor)
