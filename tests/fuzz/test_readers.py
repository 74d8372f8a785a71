"""Mutants of a valid file of every reader: it reads them, or refuses them in one line that names the file."""

import warnings

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.attempt import attempt
from tests.fuzz.mutants import mutants
from tests.fuzz.readers import READERS

FEW = 25
"""Mutants a reader: all readers stay within 20 s. `make fuzz` takes many more."""


@pytest.mark.parametrize("name", READERS)
def test_the_file_itself_is_read(name, tmp_path):
    outcome = attempt(READERS[name], READERS[name].make(), tmp_path / "a")
    assert not outcome.refused and outcome.uncaught is None


@pytest.mark.parametrize("name", READERS)
def test_a_mutant_is_read_or_refused(name, tmp_path):
    reader = READERS[name]

    @settings(
        max_examples=FEW, deadline=None, derandomize=True, database=None,
        phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def check(data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome = attempt(reader, data.draw(mutants(content)), tmp_path / "a")
        assert outcome.uncaught is None
        assert outcome.seconds < 10

    content = reader.make()
    check()
