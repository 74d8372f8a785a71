import pytest

from tests.fakes.fake_run import make_run


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path, images=6)
