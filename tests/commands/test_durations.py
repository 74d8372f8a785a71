"""Times in words."""

import pytest

from mars_pl.commands.durations import duration, rough_duration


def test_words_of_a_duration():
    assert [duration(value) for value in (3.14, 48, 190, 7500)] == ["3.1 s", "48 s", "3 min 10 s", "2 h 05 min"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (4, "0 s"), (44, "40 s"), (89, "90 s"), (100, "2 min"), (3600, "60 min"), (9000, "2.5 h")],
)
def test_an_expected_time_is_rough(seconds, words):
    assert rough_duration(seconds) == words
