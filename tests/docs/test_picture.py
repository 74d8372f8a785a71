"""The README's picture is small; `tests/commands/report/images/test_sheet.py` has what draws it."""

from PIL import Image

from tests.pipeline.tiny_run import REPOSITORY


def test_the_picture_is_small():
    path = REPOSITORY / "docs" / "pictures" / "before_after.png"
    assert path.stat().st_size <= 250_000
    assert Image.open(path).size[0] <= 1200
