"""Lightning glue of IRNet: learns class boundaries from confident labels, spreads scores up to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mars_pl.networks.network_maker import make_network
from mars_pl.training.optimisation import Kind
from mars_pl.training.trained_module import TrainedModule
from mars_pl.wsss.cam.activation import resize_image
from mars_pl.wsss.irn.loss import cell_labels, displacement_loss, label_pairs
from mars_pl.wsss.irn.network import STRIDE, IRNetwork
from mars_pl.wsss.irn.path_affinity import path_affinity
from mars_pl.wsss.irn.propagation import flip_averaged_edge, propagate
from mars_pl.wsss.propagation.affinity_loss import affinity_loss


class IRNModule(TrainedModule):
    """Inter-pixel relations; predicts scores that have walked between the boundaries of one image.

    To draw its boundaries, an image smaller than the training's crops is padded to them: group norms then average over
    as much as they did in training. Published for 512 pixels (net/resnet50_irn.py), it holds at every size.

    Args:
        network: makes the network with the frozen backbone from the number of classes.
        num_classes: including background (linked from the data); labels from it on are unsure.
        lr: of the edge branch.
        optimizer: IRNet's SGD, or AdamW.
        displacement_factor: the displacement branch learns this many times faster.
        momentum: IRNet's published code has effectively none (1e-4, by the order of its arguments).
        weight_decay: on all parameters that learn.
        radius: of the pairs to learn from, in cells of 4 pixels.
        walk_radius: of the walk's steps, likewise.
        exponent: of the affinity in the walk (published: beta).
        steps: of the walk (published: 2⁸).
        seed_exponent: of the scores before the walk; AdvCAM has 1.5.
        scale: of the image's sides, at which boundaries are drawn and scores walk.
        crop_size: side of the training's crops, in pixels (linked from the data).
        pad_to_crop: pad smaller images to the crop; false draws boundaries on the bare image.
        weights: of a finished fit, for predict.

    Raises:
        ValueError: where images are to be padded and the data has crops of no one size.
    """

    network: IRNetwork

    def __init__(
        self,
        network: Callable[[int], IRNetwork],
        num_classes: int,
        lr: float = 0.1,
        optimizer: Kind = "sgd",
        displacement_factor: float = 10.0,
        momentum: float = 1e-4,
        weight_decay: float = 1e-4,
        radius: int = 10,
        walk_radius: int = 5,
        exponent: float = 10.0,
        steps: int = 256,
        seed_exponent: float = 1.0,
        scale: float = 1.0,
        crop_size: int | None = 512,
        pad_to_crop: bool = True,
        weights: str | None = None,
    ) -> None:
        super().__init__(
            make_network(network, num_classes),
            lr=lr,
            optimizer=optimizer,
            head_factor=displacement_factor,
            momentum=momentum,
            weight_decay=weight_decay,
            weights=weights,
        )
        if pad_to_crop and crop_size is None:
            raise ValueError(
                "pad_to_crop: the training set has no crop_size to pad to; give it one, or set this to false"
            )
        self.crop_size = crop_size if pad_to_crop else None
        self.num_classes = num_classes
        self.radius, self.walk_radius = radius, walk_radius
        self.exponent, self.steps, self.seed_exponent, self.scale = exponent, steps, seed_exponent, scale

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Loss of affinities and displacements over the pairs of the confident labels of a batch of crops."""
        edge, displacement = self.network(batch["image"])
        cells = cell_labels(batch["label"], STRIDE, self.num_classes)
        pairs = label_pairs(cells, self.radius, self.num_classes)
        # in float32: 1 + 1e-5 − affinity is 0 in half precision
        loss = affinity_loss(path_affinity(edge.float().sigmoid(), self.radius), pairs)
        self.log_training(batch, prog_bar=True, affinity=loss)
        if displacement is not None:
            field = displacement_loss(displacement.float(), self.radius, pairs)
            self.log_training(batch, prog_bar=True, displacement=field)
            loss = loss + field
        return loss

    def predict_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Propagate the scores of one whole image: ``class_ids`` int64 (K,), ``scores`` float32 (K, H, W) in [0, 1]."""
        image, scores = batch["image"], batch["scores"][0]
        size = (round(image.shape[-2] * self.scale), round(image.shape[-1] * self.scale))
        edge = flip_averaged_edge(self.network, resize_image(image, size), self.crop_size)
        walked = propagate(_resize(scores, size), edge, self.walk_radius, self.exponent, self.steps, self.seed_exponent)
        walked = _resize(walked, (image.shape[-2], image.shape[-1]))
        return {"id": batch["id"][0], "class_ids": batch["class_ids"][0], "scores": walked}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let the displacement branch learn faster."""
        groups: list[dict[str, Any]] = [{"params": self.network.edge_parameters()}]
        if self.network.has_displacement:
            groups.append({"params": self.network.displacement_parameters(), "lr": self.lr * self.head_factor})
        return groups


def _resize(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (K, H, W) bilinearly; K may be 0."""
    if tuple(scores.shape[-2:]) == size:
        return scores
    if len(scores) == 0:
        return scores.new_zeros(0, *size)
    return F.interpolate(scores[None], size, mode="bilinear", align_corners=False)[0]
