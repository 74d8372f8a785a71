import time

import numpy as np
import pytest

from tests.benchmarks.measure import STATUS, measure
from tests.benchmarks.ratios import RATIOS, SUBJECTS


def test_seconds_of_a_call_that_sleeps():
    found = measure(lambda: time.sleep(0.02), repeats=2)
    assert found["wall"] >= 0.02 > found["core"]


@pytest.mark.skipif(not STATUS.is_file(), reason="memory is told by Linux")
def test_memory_that_is_given_back_counts():
    found = measure(lambda: np.ones(2**23), repeats=1)  # 64 MiB
    assert 60 < found["more"] < found["peak"]


def test_every_subject_says_what_it_is():
    assert all(subject.__doc__ for subject in SUBJECTS.values())


def test_every_ratio_is_of_two_subjects():
    assert all({ratio.ours, ratio.literal} <= SUBJECTS.keys() for ratio in RATIOS)


@pytest.mark.parametrize("name", ["class_maps", "class_maps_literal", "clustering", "clustering_batched", "plain_step"])
def test_a_subject_runs(name):
    SUBJECTS[name]()()
