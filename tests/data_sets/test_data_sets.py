"""`make mars` on tiny trees of each data set's real layout: every stage of the plan through the real command."""

import json
from contextlib import chdir

import numpy as np
import pytest

from datamodules.files.labels import read_label
from mars_pl.cli.main import main
from mars_pl.commands.run import closing
from mars_pl.commands.run.words import sort_words
from tests.fakes.fake_archives import TEST_IDS, make_archives, md5
from tests.fakes.fake_coco import make_coco_tree
from tests.fakes.fake_folder import CLASSES, make_own_folder
from tests.pipeline.tiny_run import TinyRun, plan, planned_run, prepare_data

ROWS = ("pseudo", "debiased", "complemented", "final")


def whole_run(house, data, rows=ROWS):
    """Make every stage of `mars run mars`, its rows and the report; returns the run."""
    run = TinyRun(house, f"data={data}", "size=full", "fewest_steps=0", "also=", "run=tiny")
    for stage in (*(f"row/{row}" for row in rows), "mars/segment-complemented", "mars/segment-masks"):
        run.get(stage)
    with chdir(house):
        run.planned.write(run.places)
    assert run.run(["report", "runs/tiny"]) == 0
    return run


def row(run, name):
    return json.loads((run.get(f"row/{name}") / "row.json").read_text())


def test_coco(tmp_path):
    make_coco_tree(tmp_path / "data/coco")
    run = whole_run(tmp_path, "coco")
    assert (row(run, "pseudo")["split"], row(run, "pseudo")["images"]) == ("train_labelled", 5)
    assert (row(run, "final")["split"], row(run, "final")["images"]) == ("val", 3)
    assert len(row(run, "final")["per_class"]) == 81
    for path in run.get("mars/segment-masks").glob("*.png"):
        assert read_label(path).max() <= 80
    assert "COCO_train2014_0000000000" in (tmp_path / "runs/tiny/report.html").read_text()


def test_voc_from_the_download_to_the_servers_archive(tmp_path, capsys):
    voc, sbd, test = make_archives(tmp_path / "archives")
    words = ["--voc", voc.as_uri(), "--voc-md5", md5(voc), "--sbd", sbd.as_uri(), "--sbd-md5", md5(sbd)]
    assert main(["data", "voc", str(tmp_path / "house/data/voc"), *words, "--test", str(test)]) == 0
    run = whole_run(tmp_path / "house", "voc", ("pseudo", "final"))
    assert (row(run, "pseudo")["images"], row(run, "final")["images"]) == (2, 2)
    server = planned_run(run.house, "server", "tokens=true", "run=tiny")
    masks = server.stages["server-masks"]
    run.stages["server-masks"] = masks
    predictions = run.get("server-masks")
    assert sorted(path.stem for path in predictions.glob("*.png")) == sorted(TEST_IDS)
    with chdir(run.house):
        closing.close("server", [server], server.pipeline.choices, sort_words(["server_split=test"]), run.places)
    assert "results-test.tar.gz: 2 images, nothing is wrong" in capsys.readouterr().out


def test_a_folder_of_ones_own(tmp_path):
    make_own_folder(tmp_path / "data/folder")
    (tmp_path / "data/folder/masks/a.png").unlink()  # some images have no mask
    run = whole_run(tmp_path, "folder")
    assert row(run, "pseudo")["images"] == 5
    assert (row(run, "final")["split"], row(run, "final")["images"]) == ("val", 2)
    assert list(row(run, "final")["per_class"]) == ["background", *CLASSES]
    assert all(name in (tmp_path / "runs/tiny/report.html").read_text() for name in CLASSES)


@pytest.mark.slow
def test_more_classes_than_eight_bits_hold(tmp_path):
    make_own_folder(tmp_path / "data/folder", absent=253)  # so that two classes are called 254 and 255
    run = whole_run(tmp_path, "folder")
    debiased = run.path("debias-labels")
    for folder, codes in ((run.get("wsss-labels") / "mars", {0, 254}), (debiased, {0, 254, 65534})):
        assert set(np.unique(read_label(folder / "d.png", 257))) <= codes
    marked = [65534 in read_label(path) for path in debiased.glob("*.png")]
    assert len(marked) == 6 and any(marked)
    filled = [read_label(path, 257) for path in run.get("mars/segment-complemented").glob("*.png")]
    assert len(filled) == 6 and all(65534 not in label for label in filled)
    assert row(run, "pseudo")["per_class"]["teddy bear"]["iou"] is not None
    assert row(run, "final")["images"] == 2


@pytest.mark.parametrize("data", ["coco", "folder"])
def test_a_root_that_is_missing_is_named(capsys, data):
    assert main(["data", data, "nowhere"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("mars: error: nowhere") and error.count("\n") == 1


def test_a_folder_with_images_alone_is_planned_without_rows_and_predicts_what_it_trained_on(tmp_path):
    make_own_folder(tmp_path / "data/folder", masks=False, val=False)
    prepare_data(tmp_path, "data=folder")
    stages = plan(tmp_path, "mars", "data=folder")
    assert not any(stage.startswith("row/") for stage in stages)
    words = stages["mars/segment-masks"]
    assert words[words.index("--data.init_args.predict_split") + 1] == "train"


def test_voc_that_is_not_there_is_never_downloaded_by_the_way(tmp_path, capsys):
    with chdir(tmp_path):
        assert main(["run", "mars", "data=voc"]) == 1
    error = capsys.readouterr().err
    assert "data/voc: no such data folder" in error and "`mars data voc data/voc` downloads it (3.4 GB)" in error
