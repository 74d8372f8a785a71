"""`make test` keeps a file's tests in one process; pytest 9.2 made pytest-xdist scatter them without a word."""

import os

import pytest

SEEN: list[int] = []


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="there is one process")
@pytest.mark.parametrize("place", range(6))
def test_a_files_tests_follow_one_another(place):
    assert list(range(place)) == SEEN, "what a file's tests share is made several times; run them with --dist loadfile"
    SEEN.append(place)
