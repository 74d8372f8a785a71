"""All of DHR's label making: given labels to online labels, image by image, by seeds, super-classes and sub-classes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.aspp import resize
from mars_pl.networks.precision import at_least_single
from mars_pl.refine.protocol import Refine
from mars_pl.segment.complement import refine_within, shares
from mars_pl.segment.dhr.boxes import Box, boxes_of
from mars_pl.segment.dhr.seeds import Where, activations, rest, seed_maps, sow
from mars_pl.segment.dhr.sub_classes import network_maps, part_sub_classes
from mars_pl.segment.dhr.super_classes import cell_classes, class_vectors, likeness_maps, super_classes
from mars_pl.segment.dhr.transport import LEAST, class_shares, to_unit_range

Mass = Literal["even", "label"]
"""How much the classes weigh in the transport; see ``Rebalancing``."""


class Rebalancing(nn.Module):
    """Makes a batch's labels anew from the given ones and the features of the moment (DHR, train.py).

    Args:
        refine: sharpens seeds and labels along the image, each inside its valid box (DHR: dense CRF of DeepLab's
            values); ``None`` leaves it out.
        tau: classes whose unsupervised means are alike by more than this are one super-class.
        seeds: where seeds overwrite the given label, see ``sow``.
        seed_rest: let seeds compete with 1 − their highest in the refinement. The published file refines the image's
            classes alone, by which an image of one class becomes that class in every pixel.
        mass: of the classes in the transport of steps 2 and 3: ``even`` as published, so that each class is to get as
            many cells as every other; or ``label``, the cells that it has in the label.
        epsilon: of the transport, see ``transport_plan``.
        iterations: likewise.
        tolerance: likewise.

    Raises:
        ValueError: where ``seeds`` or ``mass`` is no such rule.
    """

    def __init__(
        self,
        refine: Refine | None = None,
        tau: float = 0.8,
        seeds: Where = "everywhere",
        seed_rest: bool = True,
        mass: Mass = "even",
        epsilon: float = 0.1,
        iterations: int = 100,
        tolerance: float = 1e-2,
    ) -> None:
        super().__init__()
        if seeds not in get_args(Where):
            raise ValueError(f"seeds: one of {', '.join(get_args(Where))}, not {seeds!r}")
        if mass not in get_args(Mass):
            raise ValueError(f"mass: one of {', '.join(get_args(Mass))}, not {mass!r}")
        self.mass: Mass = mass
        self.refine, self.tau, self.seeds, self.seed_rest = refine, tau, seeds, seed_rest
        self.shares = partial(class_shares, epsilon=epsilon, iterations=iterations, tolerance=tolerance)

    @torch.no_grad()
    def forward(
        self,
        images: Tensor,
        label: Tensor,
        classes: Tensor,
        scores: Tensor,
        features: Tensor,
        layers: Sequence[Tensor],
        valid: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the label with its seeds and the online label, both int64 (B, H, W); where a crop is padded they stay.

        Args:
            images: uint8 (B, 3, H, W).
            label: int64 (B, H, W); codes from K on are unknown, and filled.
            classes: the image labels, (B, K − 1).
            scores: class scores of the network's cells, (B, K − 1, h, w).
            features: unsupervised ones, (B, D, h', w').
            layers: of the network, (B, D, h'', w'') each.
            valid: bool (B, H, W), False where a crop was padded; ``None`` is all valid.
        """
        boxes = boxes_of(images, valid)
        with torch.autocast(images.device.type, enabled=False):
            sown = label
            if self.seeds != "nowhere":
                maps = self._refined(images, self._seed_maps(images, classes, scores, boxes), valid)
                sown = sow(label, maps, classes, self.seeds)
            maps = torch.zeros(len(images), classes.shape[1] + 1, *images.shape[-2:], device=images.device)
            for index, box in enumerate(boxes):
                inside = box.of(sown[index])
                dense, *own = (_cells(each[index], box, images.shape[-2:]) for each in (features, *layers))
                found, of_classes = self.class_maps(inside, dense, own, classes.shape[1] + 1)
                if found:  # nothing is known of a crop whose label is all unknown
                    box.of(maps[index])[found] = resize(of_classes[None], inside.shape)[0]
            known = maps.flatten(1).any(dim=1)[:, None, None]
            online = self._refined(images, maps, valid).max(dim=1).indices
        return sown, torch.where(known if valid is None else known & valid, online, sown)

    def class_maps(
        self, label: Tensor, features: Tensor, layers: Sequence[Tensor], num_classes: int
    ) -> tuple[list[int], Tensor]:
        """Return the classes that an image's label has and how much each cell is theirs (steps 2 and 3).

        Args:
            label: int64 (H, W), with its seeds.
            features: (D, h, w), unsupervised.
            layers: (D, h', w') each, the network's.
            num_classes: background counted.

        Returns:
            Indices of K classes, and (K, h, w) in [1e-5, 1].
        """
        cells = cell_classes(label, features.shape[-2:], num_classes)
        found = [int(index) for index in cells.unique() if index < num_classes]
        if not found:
            return [], features[:0]
        vectors = class_vectors(features, cells, found)
        maps = likeness_maps(features, vectors)
        mass = None
        if self.mass == "label":
            mass = torch.stack([(cells == index).sum() for index in found]).float()
        groups = super_classes(vectors, self.tau)
        if groups:
            maps = part_sub_classes(maps, groups, network_maps(layers, cells, found), self.shares, mass)
        return found, to_unit_range(maps * self.shares(maps, mass)).clamp(min=LEAST)

    def _seed_maps(self, images: Tensor, classes: Tensor, scores: Tensor, boxes: Sequence[Box]) -> Tensor:
        """Step 1: activation maps of the images' classes after transport, (B, K, H, W), the rest or nothing first."""
        maps = torch.zeros(len(images), classes.shape[1] + 1, *images.shape[-2:], device=images.device)
        for index, box in enumerate(boxes):
            shown = classes[index].nonzero().flatten()
            if len(shown):
                own = seed_maps(_cells(activations(scores[index, shown]), box, images.shape[-2:]), self.shares)
                own = F.interpolate(own[None], box.size, mode="nearest")[0].clamp(min=LEAST)
                box.of(maps[index])[shown + 1] = own
                if self.seed_rest:
                    box.of(maps[index])[0] = rest(own)
        return maps

    def _refined(self, images: Tensor, maps: Tensor, valid: Tensor | None) -> Tensor:
        """Let the classes share each pixel, and refine the shares."""
        shared = shares(maps)
        return shared if self.refine is None else refine_within(self.refine, images, shared, valid)


def _cells(maps: Tensor, box: Box, size: Sequence[int]) -> Tensor:
    """Cut the cells of a box, in pixels of (H, W), out of (D, h, w), in float32 or better."""
    return at_least_single(box.in_cells(maps.shape[-2:], size).of(maps))
