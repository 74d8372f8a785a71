"""Feature correspondences and the loss on them (STEGO section 3.1–3.2, Eq. 1–4), as pure functions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.training.over_processes import mean_over_processes

_TINY = 1e-10  # keeps the cosine of a zero vector at 0; STEGO's value


def random_points(batch: int, points: int, device: torch.device | str | None = None) -> Tensor:
    """Draw ``points`` × ``points`` places in each of ``batch`` images, uniform in [-1, 1]: (B, n, n, 2) as x, y."""
    return 2 * torch.rand(batch, points, points, 2, device=device) - 1


def read_at(maps: Tensor, places: Tensor) -> Tensor:
    """Read maps (B, C, h, w) at places (B, n, n, 2) bilinearly: (B, C, n, n).

    ±1 are the centres of the outermost tokens (``align_corners``), and what lies beyond repeats the border.
    """
    return F.grid_sample(maps, places.to(maps.dtype), mode="bilinear", padding_mode="border", align_corners=True)


def correlation(first: Tensor, second: Tensor) -> Tensor:
    """Cosine of every place of one map with every place of another (STEGO Eq. 1).

    Args:
        first: (B, C, h, w).
        second: (B, C, i, j).

    Returns:
        (B, h, w, i, j) in [-1, 1].
    """
    # Unit vectors: the sum of products over the channels is the cosine, for each of the h·w × i·j pairs of places.
    return torch.einsum("bchw,bcij->bhwij", F.normalize(first, dim=1, eps=_TINY), F.normalize(second, dim=1, eps=_TINY))


def centre(feature_cosine: Tensor) -> Tensor:
    """Take from each place its mean cosine over the second image, and keep the mean over everything (STEGO Eq. 3).

    Small objects get as many agreeing partners as large ones. The mean over everything is of the whole batch, over all
    processes, as in STEGO's code (``pointwise``).
    """
    centred = feature_cosine - feature_cosine.mean(dim=(-2, -1), keepdim=True)
    return centred - mean_over_processes(centred.mean()) + mean_over_processes(feature_cosine.mean())


def correspondence_loss(feature_cosine: Tensor, code_cosine: Tensor, shift: float) -> Tensor:
    """Pull codes together where features agree by more than ``shift``, push them apart where by less (STEGO Eq. 4).

    Args:
        feature_cosine: (B, h, w, i, j) of the frozen features; no gradient is taken of it.
        code_cosine: (B, h, w, i, j) of the codes. What is below 0 counts as 0: unlike codes need not become opposites.
        shift: b, the cosine at which pulling turns into pushing.

    Returns:
        The loss of each pair of places, (B, h, w, i, j).
    """
    return -code_cosine.clamp(min=0) * (centre(feature_cosine.detach()) - shift)
