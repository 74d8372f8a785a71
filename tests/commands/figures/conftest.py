import json

import numpy as np
import pytest

from datamodules.files.features import write_features
from tests.callbacks.writing.candidates.tables import write_table
from tests.fakes.fake_run import CLASSES, add_networks, add_sweep, make_run

GRID = {"alpha": [0.2, 0.4, 0.6], "background_clusters": [1, 3]}


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path, images=6)


@pytest.fixture
def whole_run(run):
    """A run that has everything a figure can want: features, background candidates, networks, a sweep."""
    add_networks(run)
    add_sweep(run, GRID)
    ids = [f"scene_{index:05d}" for index in range(6)]
    rng = np.random.default_rng(0)
    rows, vectors = [], []
    for index, image_id in enumerate(ids):
        kind = index % 6 + 1
        rows += [(image_id, 0, cluster, 900, 0.0, False, None) for cluster in range(2)]
        rows += [(image_id, kind, 0, 700, 0.6, True, 0.7), (image_id, kind, 1, 500, 0.1, False, 0.02)]
        vectors += [*rng.normal(0, 1, (2, 8)), *rng.normal(0, 1, (2, 8))]
        write_features(run / "debias-centroids/features" / f"{image_id}.npy", rng.normal(0, 1, (8, 12, 16)))
    write_table(run / "debias-centroids", CLASSES, rows, np.stack(vectors))
    return run


@pytest.fixture
def without():
    """Take entries of a part of a run's manifest away."""

    def take(run, part, *names):
        path = run / "run.json"
        manifest = json.loads(path.read_text())
        manifest[part] = {name: value for name, value in manifest[part].items() if name not in names}
        path.write_text(json.dumps(manifest))

    return take
