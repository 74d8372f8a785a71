import json

import pytest

from mars_pl.commands.evaluate.command import main
from tests.commands.evaluate.masks import PREDICTION, TRUTH, masks


@pytest.fixture
def folders(tmp_path):
    return [masks(tmp_path / "predictions", PREDICTION), masks(tmp_path / "truth", TRUTH)]


@pytest.fixture
def score(folders, tmp_path):
    def run(*options, names="train,sheep"):
        target = tmp_path / "out" / "row.json"
        assert main([*folders, "--names", names, "--json", str(target), *options]) == 0
        assert [path.name for path in target.parent.iterdir()] == ["row.json"]
        return json.loads(target.read_text())

    return run
