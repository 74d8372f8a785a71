import pytest
import torch

from mars_pl.segment.rounds import ignore_lost

# class 1 on four pixels, class 2 on two, one biased, one ignored
LEARNT = torch.tensor([[1, 1, 1, 1], [2, 2, 254, 255]])


@pytest.mark.parametrize(
    ("mask", "least", "expected"),
    [
        # of class 1 a quarter is left, less than a half: the other three are in doubt; class 2 has grown
        ([[1, 0, 0, 2], [2, 2, 0, 0]], 0.5, [[1, 255, 255, 255], [2, 2, 0, 0]]),
        # a quarter is enough where a quarter is asked for
        ([[1, 0, 0, 2], [2, 2, 0, 0]], 0.25, [[1, 0, 0, 2], [2, 2, 0, 0]]),
        # the class lies elsewhere now, on as many pixels: it has moved, not gone
        ([[0, 0, 0, 0], [1, 1, 1, 1]], 0.5, [[0, 0, 0, 0], [255, 255, 1, 1]]),
        # both are gone
        ([[0, 0, 0, 0], [0, 0, 0, 0]], 0.1, [[255, 255, 255, 255], [255, 255, 0, 0]]),
        ([[0, 0, 0, 0], [0, 0, 0, 0]], 0.0, [[0, 0, 0, 0], [0, 0, 0, 0]]),
    ],
)
def test_what_a_class_has_all_but_lost_is_ignored(mask, least, expected):
    found = ignore_lost(torch.tensor(mask), LEARNT, least, num_classes=3, ignored=255)
    assert found.tolist() == expected


def test_a_label_that_a_mask_repeats_is_left():
    learnt = torch.randint(0, 5, (9, 9), generator=torch.Generator().manual_seed(0))
    assert torch.equal(ignore_lost(learnt, learnt, 1.0, 5, 255), learnt)
