from __future__ import annotations

import numpy as np
import pytest

from mars_pl.uss.leopart.schedule import cosine


def test_the_curve_that_leopart_writes_down():
    """experiments/utils.py of MkuuWaUjinga/leopart: an array over all steps."""
    steps = np.arange(20)
    written = 1.0 + 0.5 * (0.9995 - 1.0) * (1 + np.cos(np.pi * steps / 20))
    assert [cosine(0.9995, 1.0, step, 20) for step in range(20)] == pytest.approx(written, abs=1e-12)


def test_ends_and_middle_by_hand():
    assert [cosine(4, 2, step, 10) for step in (0, 5, 10, 25)] == pytest.approx([4, 3, 2, 2])
