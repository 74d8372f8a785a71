"""What the page's scripts are told: sums that agree with the rows' metric, and where pictures lie."""

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.files.labels import read_label
from mars_pl.commands.report.images import data
from mars_pl.commands.report.images.choice import LITTLE_REMOVED
from mars_pl.commands.report.images.data import page_images
from mars_pl.commands.report.images.sets import image_sets
from mars_pl.commands.report.run import open_run
from mars_pl.metrics.confusion import confusion_matrix


@pytest.fixture
def sets(run):
    return image_sets(open_run(str(run)))


def test_few_images_lie_within_the_page(run, sets):
    (run / "report_files" / "labels").mkdir(parents=True)
    told = page_images(sets, run / "report_files", 6, 100)
    assert told["place"] is None
    assert not (run / "report_files").exists(), "what an earlier page had is gone"
    assert all(cell.startswith("data:image/") for cells in told["sets"][0]["pictures"] for cell in cells)


def test_many_lie_beside_it_and_only_those_that_are_kept(run, sets, monkeypatch):
    monkeypatch.setattr(data, "EMBEDDED", 2)
    told = page_images(sets, run / "report_files", 0, 4)
    kept = [
        image_id for image_id, cells in zip(told["sets"][0]["ids"], told["sets"][0]["pictures"], strict=True) if cells
    ]
    assert told["place"] == "report_files"
    assert len(kept) == 4
    for layer in told["sets"][0]["layers"]:
        folder = run / "report_files" / "labels" / layer["key"]
        assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.{layer['suffix']}" for name in kept)
    assert not list(run.glob("*.part"))


def test_a_folder_of_something_else_is_left_alone(run, sets):
    (run / "report_files").mkdir()
    (run / "report_files" / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match=r"report_files: .*holds thesis\.txt"):
        page_images(sets, run / "report_files", 6, 100)
    assert (run / "report_files" / "thesis.txt").is_file()


def test_the_confusion_is_that_of_all_images_together(run, sets):
    told = page_images(sets, run / "report_files", 0, 0)["sets"][0]
    labels = [read_label(run / "debias-labels" / f"{image_id}.png") for image_id in told["ids"]]
    truths = [read_label(sets[0].truth / f"{image_id}.png") for image_id in told["ids"]]
    assert told["confusion"]["debiased"] == confusion_matrix(np.stack(labels), np.stack(truths), 7).tolist()
    assert told["pictures"] == [None] * 6


def test_strips_are_ranked_and_little_removed_means_it(run, sets):
    told = page_images(sets, run / "report_files", 6, 100)["sets"][0]
    strips = {strip["title"]: strip["images"] for strip in told["strips"]}
    iou = [figures[0] for figures in told["figures"]["complemented"]]
    assert iou[strips["Worst"][0]] == min(iou)
    assert iou[strips["Best"][0]] == max(iou)
    assert all(told["removed"][place] <= LITTLE_REMOVED for place in strips.get("Little removed", []))
    assert told["removed"][strips["Most removed"][0]] > LITTLE_REMOVED
