import torch

from mars_pl.segment.dhr.sub_classes import network_maps, part_sub_classes


def test_maps_of_layers_are_averaged_on_the_cells_grid():
    cells = torch.tensor([[0, 0, 1, 1]])
    part = torch.tensor([[[1.0, 1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0, 1.0]]])  # parts the classes
    none = torch.tensor([[[1.0, 0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0, 1.0]]])  # does not: both means are alike
    assert torch.equal(network_maps([part], cells, [0, 1]), torch.tensor([[[1.0, 1, 0, 0]], [[0, 0, 1, 1]]]))
    both = network_maps([part, none], cells, [0, 1])
    assert both.min() == 0 and both.max() == 1
    assert both[0, 0, 0] > both[0, 0, 2] and both[1, 0, 2] > both[1, 0, 0]


def test_a_layer_of_another_size_is_brought_to_the_grid():
    small = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
    maps = network_maps([small], torch.tensor([[0, 0, 1, 1]]), [0, 1])
    assert maps[0, 0].tolist() == sorted(maps[0, 0].tolist(), reverse=True)
    assert maps[1, 0].tolist() == sorted(maps[1, 0].tolist())


def test_only_members_of_a_group_are_multiplied_and_their_masses_go_along():
    maps, finer = torch.ones(3, 1, 2), torch.rand(3, 1, 2)
    seen = []

    def shares(of, mass):
        seen.append((of, mass))
        return torch.full_like(of, 0.5)

    parted = part_sub_classes(maps, [torch.tensor([0, 2])], finer, shares, torch.tensor([5, 6, 7]))
    assert parted[:, 0, 0].tolist() == [0.5, 1, 0.5]
    assert torch.equal(seen[0][0], finer[[0, 2]]) and seen[0][1].tolist() == [5, 7]
    assert (maps == 1).all()
