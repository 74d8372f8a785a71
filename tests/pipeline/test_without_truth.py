"""No stage reads a mask of truth or a companion: without them the same bytes come out."""

import shutil

import pytest

from tests.callbacks.writing.candidates.tables import read_rows
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import TinyRun, plan

WRITTEN = {
    "wsss-labels": ("mars/*.png", "baseline/*.png"),
    "uss-fit": ("weights.safetensors",),
    "debias-centroids": ("centroids.safetensors",),
    "debias-labels": ("*.png", "similarity/*.png"),
    "mars/segment-complemented": ("*.png", "prediction/*.png"),
    "mars/segment-masks": ("*.png",),
}


@pytest.fixture(scope="module")
def blind_run(tmp_path_factory):
    """The same images, with nothing to measure against."""
    house = tmp_path_factory.mktemp("blind")
    root = house / "data" / "voc"
    make_voc_tree(root, 8, image_labels="npy")
    for folder in ("SegmentationClass", "SegmentationClassAug", "Companion"):
        shutil.rmtree(root / folder, ignore_errors=True)
    return TinyRun(house)


@pytest.mark.parametrize("stage", WRITTEN)
def test_the_same_bytes_without_truth(tiny_run, blind_run, stage):
    seeing, blind = tiny_run.get(stage), blind_run.get(stage)
    for pattern in WRITTEN[stage]:
        found = sorted(path.relative_to(seeing) for path in seeing.glob(pattern))
        assert found
        assert [path for path in found if (seeing / path).read_bytes() != (blind / path).read_bytes()] == []


def test_what_measures_is_left_out_and_said_nowhere(blind_run):
    assert not (blind_run.get("wsss-labels") / "sweep.json").exists()
    table = read_rows(blind_run.get("debias-centroids"))
    assert table and {row["iou"] for row in table} == {None}


def test_the_same_stages_are_planned_without_rows(tmp_path):
    make_voc_tree(tmp_path / "data" / "voc", 4, image_labels="npy")
    seeing = plan(tmp_path, "mars")
    shutil.rmtree(tmp_path / "data" / "voc" / "SegmentationClass")
    blind = plan(tmp_path, "mars")
    # what measures has a folder of its own where there is truth; all that later stages read is the same
    assert {stage: words[:2] for stage, words in blind.items()}.items() <= {s: w[:2] for s, w in seeing.items()}.items()
    measured = [name for name in seeing if name not in blind]
    assert measured and all(name.startswith(("row/", "baseline/segment")) for name in measured)
