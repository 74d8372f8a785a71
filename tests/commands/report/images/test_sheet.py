"""The picture of what was removed: a row an image, a column a label."""

import json

import numpy as np
import pytest
from PIL import Image

from datamodules.errors import DataError
from mars_pl.commands.report.command import main
from mars_pl.commands.report.images.sets import image_sets
from mars_pl.commands.report.images.sheet import GAP, HEADING, WIDTH, write_sheet
from mars_pl.commands.report.run import open_run
from tests.fakes.fake_run import HEIGHT as SCENE_HEIGHT
from tests.fakes.fake_run import WIDTH as SCENE_WIDTH
from tests.fakes.fake_run import make_run


def magenta(path):
    """Which of the columns have biased pixels."""
    sheet = np.asarray(Image.open(path).convert("RGB"))
    pure = (sheet == (255, 0, 255)).all(axis=2)[HEADING:]
    return [pure[:, left : left + WIDTH].any() for left in range(0, sheet.shape[1], WIDTH + GAP)]


def test_a_row_an_image_and_a_column_a_label(tmp_path):
    images = image_sets(open_run(str(make_run(tmp_path, images=3))))[0]
    write_sheet(tmp_path / "a.png", images, ["scene_00000", "scene_00002"])
    height = round(SCENE_HEIGHT * WIDTH / SCENE_WIDTH)
    assert Image.open(tmp_path / "a.png").size == (4 * (WIDTH + GAP) - GAP, HEADING + 2 * (height + GAP) - GAP)
    assert magenta(tmp_path / "a.png") == [False, False, True, False]  # biased pixels are in the debiased label alone


def test_an_image_that_is_not_there_is_named(tmp_path):
    images = image_sets(open_run(str(make_run(tmp_path, images=1))))[0]
    with pytest.raises(DataError, match="scene_00007"):
        write_sheet(tmp_path / "a.png", images, ["scene_00007"])
    assert not (tmp_path / "a.png").exists()


def test_the_report_leaves_it_and_names_it(tmp_path, capsys):
    run = make_run(tmp_path, images=3)
    assert main([str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [str(run / name) for name in ("report.html", "before_after.png", "metrics.json")]
    assert magenta(run / "before_after.png")[2]


def test_a_run_without_debiased_labels_has_none(tmp_path):
    run = make_run(tmp_path, images=2)
    (run / "before_after.png").write_bytes(b"of an earlier report")
    manifest = json.loads((run / "run.json").read_text())
    del manifest["labels"]["debiased"]
    (run / "run.json").write_text(json.dumps(manifest))
    assert main([str(run)]) == 0
    assert not (run / "before_after.png").exists()
