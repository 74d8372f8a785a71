"""The README's picture can be drawn again from any run of one's own."""

import runpy

import numpy as np
import pytest
from PIL import Image

from datamodules.errors import DataError
from mars_pl.commands.report.run import open_run
from tests.fakes.fake_run import HEIGHT, WIDTH, make_run
from tests.pipeline.tiny_run import REPOSITORY

TOOL = runpy.run_path(str(REPOSITORY / "tools" / "draw_before_after.py"))


def test_a_row_an_image_and_a_column_a_label(tmp_path):
    run = open_run(str(make_run(tmp_path, images=3)))
    sheet = np.asarray(TOOL["draw"](run, ["scene_00000", "scene_00002"]))
    across, down = WIDTH * TOOL["ENLARGED"] + TOOL["GAP"], HEIGHT * TOOL["ENLARGED"] + TOOL["GAP"]
    assert sheet.shape == (TOOL["HEADING"] + 2 * down - TOOL["GAP"], 4 * across - TOOL["GAP"], 3)
    magenta = (sheet == (255, 0, 255)).all(axis=2)[TOOL["HEADING"] :]
    of_column = [magenta[:, n * across : n * across + WIDTH * TOOL["ENLARGED"]].any() for n in range(4)]
    assert of_column == [False, False, True, False]  # biased pixels are in the debiased label alone


def test_a_missing_label_is_named(tmp_path):
    run = open_run(str(make_run(tmp_path, images=1)))
    with pytest.raises(DataError, match="scene_00007"):
        TOOL["draw"](run, ["scene_00007"])


def test_the_picture_is_small():
    path = REPOSITORY / "docs" / "pictures" / "before_after.png"
    assert path.stat().st_size <= 250_000
    assert Image.open(path).size[0] <= 1200
