import pytest
import torch

from datamodules.datasets import samplers
from datamodules.datasets.samplers import EachOnce, EpochShuffle
from datamodules.errors import DataError


@pytest.fixture
def place(monkeypatch):
    def at(rank, world):
        monkeypatch.setattr(samplers, "processes", lambda: (rank, world))

    return at


def indices(sampler):
    return [index for _, index in sampler]


def test_an_epoch_is_a_permutation_that_repeats():
    sampler = EpochShuffle(20, seed=3)
    assert sorted(indices(sampler)) == list(range(20))
    assert indices(sampler) == indices(EpochShuffle(20, seed=3))
    assert indices(sampler) != indices(EpochShuffle(20, seed=4))
    assert indices(sampler) != list(range(20))


def test_the_order_depends_on_the_epoch_not_on_the_past():
    sampler = EpochShuffle(20)
    first = indices(sampler)
    sampler.set_epoch(2)
    third = list(sampler)
    assert {epoch for epoch, _ in third} == {2}
    assert [index for _, index in third] != first
    torch.rand(100)
    resumed = EpochShuffle(20)
    resumed.set_epoch(2)
    assert list(resumed) == third


@pytest.mark.parametrize("world", [1, 2])
def test_a_fit_that_goes_on_within_an_epoch_leaves_out_what_it_took(place, world):
    for rank in range(world):
        place(rank, world)
        whole, resumed = EpochShuffle(20, 5, batch=4), EpochShuffle(20, 5, batch=4)
        whole.set_epoch(3)
        resumed.resume_at(3, 4)
        assert list(resumed) == list(whole)[4:], "of each process's own share"
        assert len(resumed) == len(whole), "Lightning counts the batches of a whole epoch"
        resumed.set_epoch(4)
        whole.set_epoch(4)
        assert list(resumed) == list(whole)


def test_processes_share_an_epoch_evenly(place):
    parts = []
    for rank in range(3):
        place(rank, 3)
        sampler = EpochShuffle(11)
        parts.append(indices(sampler))
        assert len(parts[-1]) == len(sampler) == 3
    assert len(set().union(*parts)) == 9
    place(0, 1)
    whole = indices(EpochShuffle(11))
    assert [parts[index % 3][index // 3] for index in range(9)] == whole[:9], "together they see what one process would"


@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_batches_of_a_step_are_the_same_sets_whatever_the_number_of_processes(place, world):
    place(0, 1)
    order = indices(EpochShuffle(20, 5, batch=6))
    assert len(order) == 18, "the two that fill no batch are left out"
    parts = []
    for rank in range(world):
        place(rank, world)
        parts.append(indices(EpochShuffle(20, 5, batch=6)))
    each = 6 // world
    for step in range(3):
        together = [index for part in parts for index in part[step * each : (step + 1) * each]]
        assert sorted(together) == sorted(order[6 * step : 6 * step + 6])


def test_evaluation_takes_each_once(place):
    parts = []
    for rank in range(3):
        place(rank, 3)
        parts.append(list(EachOnce(11)))
        assert len(EachOnce(11)) == len(parts[-1])
    assert parts == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8]]


def test_what_is_done_is_left_out_and_the_rest_dealt_anew(place):
    parts = []
    for rank in range(2):
        place(rank, 2)
        parts.append(list(EachOnce(7, {1, 2, 5})))
    assert parts == [[0, 4], [3, 6]]


@pytest.mark.parametrize(("done", "parts"), [({0, 2, 3}, [[1], [0]]), ({0, 1, 2, 3}, [[0], [1]])])
def test_a_process_for_which_nothing_is_left_does_one_again(place, done, parts):
    found = []
    for rank in range(2):
        place(rank, 2)
        found.append(list(EachOnce(4, done)))
    assert found == parts


@pytest.mark.parametrize("sampler", [EpochShuffle, EachOnce])
def test_fewer_images_than_processes_are_refused(place, sampler):
    place(0, 4)
    assert len(sampler(4)) == 1
    with pytest.raises(DataError, match="3 images for 4 processes"):
        sampler(3)


def test_one_process_without_torch_distributed():
    assert samplers.processes() == (0, 1)
