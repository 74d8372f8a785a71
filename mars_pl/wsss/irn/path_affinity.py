"""From class boundaries to affinities: two cells belong together where no boundary lies on the path between them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.wsss.propagation.random_walk import half_disc


def path(down: int, right: int) -> list[tuple[int, int]]:
    """Return the cells (down, right) from (0, 0) to an offset whose distance to the segment is below 1, ends included.

    Published in jiwoon-ahn/irn, misc/indexing.py: cells of the box that the two ends span, by their distance to the
    line through both.
    """
    rows = range(min(0, down), max(0, down) + 1)
    columns = range(min(0, right), max(0, right) + 1)
    # The cross product with the offset is the distance to the line times the offset's length: no root is taken.
    return [(y, x) for y in rows for x in columns if (down * x - right * y) ** 2 < down**2 + right**2]


def sources(cells: Tensor, radius: int) -> Tensor:
    """Cut the cells that have all their half disc within the grid out of (…, h, w): (…, h − r + 1, w − 2(r − 1))."""
    return shifted(cells, radius, 0, 0)


def shifted(cells: Tensor, radius: int, down: int, right: int) -> Tensor:
    """Cut what lies (down, right) of each source cell out of (…, h, w); see `sources`.

    Raises:
        ValueError: where the grid is smaller than the half disc.
    """
    reach = radius - 1
    height, width = cells.shape[-2] - reach, cells.shape[-1] - 2 * reach
    if height < 1 or width < 1:
        raise ValueError(
            f"a grid of {cells.shape[-2]}×{cells.shape[-1]} cells has no room for pairs of radius {radius}; "
            "take larger crops or a smaller radius"
        )
    return cells[..., down : down + height, reach + right : reach + right + width]


def path_affinity(edge: Tensor, radius: int) -> Tensor:
    """Affinity of each pair: 1 − the strongest edge on the path between its cells.

    Args:
        edge: (B, h, w) in [0, 1], 1 on a class boundary.
        radius: pairs are nearer than this many cells.

    Returns:
        (B, O, h − r + 1, w − 2(r − 1)) in [0, 1], offsets as in `half_disc`, at the source cells.
    """
    affinities = []
    for down, right in half_disc(radius).tolist():
        # (cells on the path, B, …): the edge map shifted to each of them.
        crossed = torch.stack([shifted(edge, radius, y, x) for y, x in path(down, right)])
        affinities.append(1 - crossed.max(dim=0).values)  # backward keeps its indices only, amax would keep the stack
    return torch.stack(affinities, dim=1)


def grid_affinity(edge: Tensor, radius: int) -> Tensor:
    """Affinities (O, h, w) of all cells of one edge map (h, w), as a random walk wants them; 0 to what lies outside."""
    reach = radius - 1
    # A border of edges around the grid: every cell becomes a source, and a path that leaves it has affinity 0.
    return path_affinity(F.pad(edge, (reach, reach, 0, reach), value=1.0)[None], radius)[0]
