"""STEGO's three-part loss: an image with itself, with a neighbour, with random negatives (STEGO section 3.3, Eq. 5)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mars_pl.training.whole_batch import all_rows, draw_for_all, own_rows, whole_size
from mars_pl.uss.stego.correspondence import correlation, correspondence_loss, random_points, read_at


class STEGOTerms(NamedTuple):
    """The loss and what it is made of; scalars. A cosine is the mean over the pairs of codes of that kind."""

    loss: Tensor
    loss_self: Tensor
    loss_neighbour: Tensor
    loss_random: Tensor
    cosine_self: Tensor
    cosine_neighbour: Tensor
    cosine_random: Tensor


def draw_random_negatives(batch: int, device: torch.device | str | None = None) -> Tensor:
    """Pair each image of a batch with another one: a random permutation of one cycle, so none meets itself.

    STEGO's code moves the fixed points of a permutation by one, so an image may be met twice and another not at all.

    Raises:
        ValueError: where the batch has a single image.
    """
    if batch < 2:
        raise ValueError("STEGO compares each image with another of its batch: batches need at least 2 images")
    cycle = torch.randperm(batch, device=device)
    partner = torch.empty_like(cycle)
    partner[cycle] = cycle.roll(-1)  # each image of a random order meets the next one, the last the first
    return partner


class STEGOLoss(nn.Module):
    """Weighted sum of the correspondence losses of three kinds of pairs.

    The defaults are STEGO's for CocoStuff27 with ViT-B (``train_config.yml``, 10/3), natural images like VOC's; it has
    none for VOC. STEGO's advice for other data: most random pairs should come out as unlike (mean cosine near 0) and
    some neighbours as like; raise a shift to push more.

    Over several processes it is the loss of their whole batch: random negatives come from all of them, at the places
    that one process would draw. The tokens of the whole batch are therefore brought to each process, at 224 pixels and
    ViT-B/8 2.4 MB an image. Batches that are accumulated draw among themselves alone.

    Args:
        shift_self: b of an image with itself.
        shift_neighbour: b of an image with one of its nearest neighbours.
        shift_random: b of an image with others of the batch.
        weight_self: λ of an image with itself.
        weight_neighbour: λ of an image with one of its nearest neighbours.
        weight_random: λ of an image with others of the batch.
        random_negatives: how many others each image is compared with.
        points: side of the grid of random places, 11 × 11 in STEGO.
    """

    def __init__(
        self,
        shift_self: float = 0.12,
        shift_neighbour: float = 0.20,
        shift_random: float = 1.0,
        weight_self: float = 0.1,
        weight_neighbour: float = 1.0,
        weight_random: float = 0.1538,
        random_negatives: int = 5,
        points: int = 11,
    ) -> None:
        super().__init__()
        self.shift_self, self.weight_self = shift_self, weight_self
        self.shift_neighbour, self.weight_neighbour = shift_neighbour, weight_neighbour
        self.shift_random, self.weight_random = shift_random, weight_random
        self.random_negatives = random_negatives
        self.points = points

    def forward(self, features: Tensor, code: Tensor, neighbour_features: Tensor, neighbour_code: Tensor) -> STEGOTerms:
        """Compare a batch with itself, its neighbours and permutations of itself.

        Args:
            features: (B, D, h, w) frozen.
            code: (B, C, h, w) of the head on ``features``.
            neighbour_features: (B, D, h, w), row i a neighbour of row i.
            neighbour_code: (B, C, h, w).

        Raises:
            ValueError: where the whole batch is a single image.
        """
        batch, device = whole_size(len(features)), features.device
        first = own_rows(draw_for_all(lambda: random_points(batch, self.points, device)))
        second = own_rows(draw_for_all(lambda: random_points(batch, self.points, device)))
        anchor, anchor_code = read_at(features, first), read_at(code, first)

        def pair(other: Tensor, other_code: Tensor, shift: float) -> tuple[Tensor, Tensor]:
            cosine = correlation(anchor_code, other_code)
            return correspondence_loss(correlation(anchor, other), cosine, shift).mean(), cosine.detach().mean()

        loss_self, cosine_self = pair(anchor, anchor_code, self.shift_self)
        loss_neighbour, cosine_neighbour = pair(
            read_at(neighbour_features, second), read_at(neighbour_code, second), self.shift_neighbour
        )
        partners = [draw_for_all(lambda: draw_random_negatives(batch, device)) for _ in range(self.random_negatives)]
        every, every_code = all_rows(features.detach()), all_rows(code)
        random = [
            pair(read_at(every[p], second), read_at(every_code[p], second), self.shift_random)
            for p in map(own_rows, partners)
        ]
        loss_random, cosine_random = (torch.stack(terms).mean() for terms in zip(*random, strict=True))
        loss = self.weight_self * loss_self + self.weight_neighbour * loss_neighbour + self.weight_random * loss_random
        return STEGOTerms(loss, loss_self, loss_neighbour, loss_random, cosine_self, cosine_neighbour, cosine_random)
