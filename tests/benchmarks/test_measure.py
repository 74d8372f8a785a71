import os
import time

import numpy as np
import pytest

from tests.benchmarks.measure import measure
from tests.benchmarks.process_memory import Watch, resident
from tests.benchmarks.ratios import RATIOS, SUBJECTS


def test_seconds_of_a_call_that_sleeps():
    found = measure(lambda: time.sleep(0.02), repeats=2)
    assert found["wall"] >= 0.02 > found["core"]


@pytest.mark.skipif(resident("VmRSS") is None, reason="memory is told by Linux")
def test_memory_that_is_given_back_counts():
    found = measure(lambda: np.ones(2**23), repeats=1)  # 64 MiB
    assert 60 < found["more"] < found["peak"]


def test_every_subject_says_what_it_is():
    assert all(subject.__doc__ for subject in SUBJECTS.values())


def test_every_ratio_is_of_two_subjects():
    assert all({ratio.ours, ratio.literal} <= SUBJECTS.keys() for ratio in RATIOS)


@pytest.mark.parametrize(
    "name",
    [
        "class_maps",
        "class_maps_literal",
        "clustering",
        "clustering_batched",
        pytest.param("plain_step", marks=pytest.mark.slow),
    ],
)
def test_a_subject_runs(name):
    SUBJECTS[name]()()


@pytest.mark.skipif(resident("VmRSS") is None, reason="memory is told by Linux")
def test_a_job_is_watched_from_outside(tmp_path):
    watch = Watch(os.getpid(), tmp_path)
    for lines in (3, 2):
        with (tmp_path / ".done-0.jsonl").open("a") as journal:
            journal.write("line\n" * lines)
        watch.look()
    assert watch.done == 5 and watch.at(3) == watch.at(1) and 0 < watch.at(5) <= watch.peak
    assert resident("VmRSS", 2**31) is None
