import torch

from datamodules.datasets.seeding import generator, seeded


def test_a_block_draws_the_same_and_leaves_no_trace():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(0, 1, 2):
        inside = torch.rand(2)
    assert torch.equal(torch.rand(3), expected)
    with seeded(0, 1, 2):
        assert torch.equal(torch.rand(2), inside)


def test_order_of_the_numbers_counts():
    keys = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (0, 1, 3)]
    assert len({float(torch.rand((), generator=generator(*key))) for key in keys}) == 4
