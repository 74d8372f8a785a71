import pytest

from datamodules.datasets import batch_share as module
from datamodules.datasets.batch_share import batch_share
from datamodules.errors import DataError


@pytest.mark.parametrize(
    ("world", "accumulated", "each", "said"),
    [
        (1, 1, 16, "16"),
        (4, 1, 4, "16 = 4 processes × 4"),
        (1, 2, 8, "16 = 2 accumulated batches × 8"),
        (2, 2, 4, "16 = 2 processes × 2 accumulated batches × 4"),
        (16, 1, 1, "16 = 16 processes × 1"),
    ],
)
def test_a_batch_is_dealt_out_and_said(monkeypatch, world, accumulated, each, said):
    monkeypatch.setattr(module, "processes", lambda: (0, world))
    share = batch_share(16, accumulated)
    assert share == (16, world, accumulated, each) and str(share) == said


@pytest.mark.parametrize(("world", "accumulated", "multiple"), [(3, 1, 3), (2, 3, 6), (32, 1, 32)])
def test_what_does_not_come_out_even_is_refused(monkeypatch, world, accumulated, multiple):
    monkeypatch.setattr(module, "processes", lambda: (0, world))
    with pytest.raises(DataError, match=f"data.batch_size: 16, .* does not divide among {world} processes") as fault:
        batch_share(16, accumulated)
    assert f"choose a multiple of {multiple}, or other trainer.devices" in str(fault.value)


def test_a_batch_of_nothing_is_told(monkeypatch):
    monkeypatch.setattr(module, "processes", lambda: (0, 1))
    with pytest.raises(DataError, match=r"data\.batch_size: 0, .*; choose 1 or more"):
        batch_share(0)
