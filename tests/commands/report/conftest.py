import pytest

from mars_pl.commands.report import command as report
from mars_pl.commands.report.images import data as images_data
from tests.commands.browser import chromium
from tests.commands.report.page import SUB
from tests.fakes.fake_run import add_networks, make_run, rename_image


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path, images=6)


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A page with everything in one file: six images, one with a name of all sorts in a folder of its own."""
    run = make_run(tmp_path_factory.mktemp("small"), images=6)
    add_networks(run)
    rename_image(run, "scene_00005", SUB)
    report.main([str(run), "--gallery", "6"])
    return run / "report.html"


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A page whose pictures lie beside it, for it has more images than one file holds."""
    run = make_run(tmp_path_factory.mktemp("large"), images=45)
    rename_image(run, "scene_00000", SUB)
    kept, images_data.EMBEDDED = images_data.EMBEDDED, 10
    report.main([str(run), "--gallery", "0", "--pictures", "44"])
    images_data.EMBEDDED = kept
    return run / "report.html"
