import pytest
import torch

from mars_pl.wsss.irn.path_affinity import grid_affinity, path, path_affinity, sources
from mars_pl.wsss.propagation.random_walk import half_disc


def literal_path(down, right):
    """Grid points that lie nearer than 1 to the segment from the source to the destination, by projection."""
    cells = set()
    length = (down**2 + right**2) ** 0.5
    for y in range(-12, 13):
        for x in range(-12, 13):
            along = (y * down + x * right) / length
            nearest = min(max(along, 0.0), length)
            distance = ((y - nearest * down / length) ** 2 + (x - nearest * right / length) ** 2) ** 0.5
            within_box = min(0, down) <= y <= max(0, down) and min(0, right) <= x <= max(0, right)
            if distance < 1 - 1e-12 and within_box:
                cells.add((y, x))
    return cells


def test_a_straight_path_holds_its_own_row_and_a_diagonal_its_steps():
    assert path(0, 3) == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert path(2, 0) == [(0, 0), (1, 0), (2, 0)]
    assert path(1, 1) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert path(1, -2) == [(0, -2), (0, -1), (0, 0), (1, -2), (1, -1), (1, 0)]


@pytest.mark.parametrize("radius", [5, 10])
def test_every_path_agrees_with_the_distance_to_the_segment(radius):
    for down, right in half_disc(radius).tolist():
        found = path(down, right)
        assert len(found) == len(set(found))
        assert set(found) == literal_path(down, right), (down, right)
        assert {(0, 0), (down, right)} <= set(found)


def literal_affinity(edge, radius):
    """1 − the maximum of the edge over the path of each pair, cell by cell."""
    batch, height, width = edge.shape
    reach = radius - 1
    offsets = half_disc(radius).tolist()
    affinity = torch.empty(batch, len(offsets), height - reach, width - 2 * reach, dtype=edge.dtype)
    for b in range(batch):
        for o, (down, right) in enumerate(offsets):
            for y in range(height - reach):
                for x in range(width - 2 * reach):
                    crossed = [edge[b, y + dy, x + reach + dx] for dy, dx in literal_path(down, right)]
                    affinity[b, o, y, x] = 1 - max(crossed)
    return affinity


def random_edge(*shape):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("radius", [2, 4])
def test_affinities_agree_with_the_literal_ones(radius):
    edge = random_edge(2, 7, 9)
    assert torch.equal(path_affinity(edge, radius), literal_affinity(edge, radius))


def test_a_boundary_parts_the_cells_on_its_two_sides_only():
    edge = torch.zeros(1, 4, 9)
    edge[..., 4] = 1.0
    affinity = path_affinity(edge, 3)[0]
    right_by_two = half_disc(3).tolist().index([0, 2])
    sources_columns = torch.arange(2, 7)
    for column in range(5):
        start, end = sources_columns[column], sources_columns[column] + 2
        assert affinity[right_by_two, 0, column] == float(not start <= 4 <= end)


def test_the_gradient_reaches_the_strongest_cell_of_a_path():
    edge = torch.tensor([[[0.1, 0.2, 0.7, 0.3], [0.0, 0.0, 0.0, 0.0]]], requires_grad=True)
    path_affinity(edge, 2)[0, 0].sum().backward()  # pairs (0, 1)–(0, 2) and (0, 2)–(0, 3)
    assert edge.grad.tolist() == [[[0.0, 0.0, -2.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]


def test_sources_have_their_half_disc_within_the_grid():
    cells = torch.arange(5 * 7).view(5, 7)
    assert sources(cells, 3).tolist() == [[2, 3, 4], [9, 10, 11], [16, 17, 18]]


def test_a_grid_too_small_for_the_radius_is_refused():
    with pytest.raises(ValueError, match="8×24 cells has no room for pairs of radius 10; take larger crops"):
        path_affinity(torch.zeros(1, 8, 24), 10)


def test_a_whole_grid_agrees_where_the_half_disc_lies_within_and_has_no_affinity_beyond():
    edge = random_edge(8, 9)
    radius = 3
    affinity = grid_affinity(edge, radius)
    assert affinity.shape == (12, 8, 9)
    assert torch.equal(affinity[:, : 8 - 2, 2:-2], path_affinity(edge[None], radius)[0])
    for index, (down, right) in enumerate(half_disc(radius).tolist()):
        for y in range(8):
            for x in range(9):
                if not (y + down < 8 and 0 <= x + right < 9):
                    assert affinity[index, y, x] == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_agrees():
    edge = random_edge(1, 30, 40)
    assert torch.equal(path_affinity(edge.cuda(), 5).cpu(), path_affinity(edge, 5))
