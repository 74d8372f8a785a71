"""The colours of the masks: no greys, none like another, none like the biased magenta."""

import numpy as np
import pytest

from mars_pl.commands.report.images.palette import biased_css, class_colours, class_css, heat_css


@pytest.mark.parametrize(("count", "apart"), [(1, 0), (7, 60), (20, 30), (80, 8)])
def test_colours_stand_out_on_grey_and_from_one_another(count, apart):
    colours = class_colours(count).astype(int)
    assert colours.shape == (count, 3)
    assert (colours.max(axis=1) - colours.min(axis=1)).min() > 80, "no class is grey"
    distances = np.linalg.norm(colours[:, None] - colours[None], axis=2) + 999 * np.eye(count)
    assert distances.min() > apart
    assert np.linalg.norm(colours - [255, 0, 255], axis=1).min() > 100


def test_css_has_the_background_first():
    assert class_css(1) == ["transparent"]
    first, second = class_css(2)
    assert first == "transparent" and second.startswith("rgb(")
    assert biased_css() == "rgb(255 0 255)"
    assert heat_css(3).count("rgb(") == 3
