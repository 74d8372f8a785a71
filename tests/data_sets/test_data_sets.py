"""`make mars` on tiny trees of each data set's real layout: every stage of the plan through the real command."""

import json

import numpy as np
import pytest

from datamodules.files.labels import read_label
from mars_pl.cli.main import main
from tests.fakes.fake_archives import TEST_IDS, make_archives, md5
from tests.fakes.fake_coco import make_coco_tree
from tests.fakes.fake_folder import CLASSES, make_own_folder
from tests.pipeline.tiny_run import TinyRun, make, make_house, plan

ROWS = ("pseudo", "debiased", "complemented", "final")


def whole_run(house, data, rows=ROWS):
    """Make every stage of `make mars`, its rows and the report; returns the run."""
    run = TinyRun(house, f"DATA={data}")
    for stage in (*(f"rows/{row}.json" for row in rows), "mars/complemented", "mars/predictions"):
        run.get(stage)
    make(house, "runs/tiny/run.json", f"DATA={data}", "RUN=tiny")
    assert run.run(["report", "runs/tiny"]) == 0
    return run


def row(run, name):
    return json.loads((run.house / "runs/tiny/rows" / f"{name}.json").read_text())


def test_coco(tmp_path):
    make_coco_tree(tmp_path / "data/coco")
    run = whole_run(tmp_path, "coco")
    assert (row(run, "pseudo")["split"], row(run, "pseudo")["images"]) == ("train_labelled", 5)
    assert (row(run, "final")["split"], row(run, "final")["images"]) == ("val", 3)
    assert len(row(run, "final")["per_class"]) == 81
    for path in run.path("mars/predictions").glob("*.png"):
        assert read_label(path).max() <= 80
    assert "COCO_train2014_0000000000" in (tmp_path / "runs/tiny/report.html").read_text()


def test_voc_from_the_download_to_the_servers_archive(tmp_path, capsys):
    voc, sbd, test = make_archives(tmp_path / "archives")
    words = ["--voc", voc.as_uri(), "--voc-md5", md5(voc), "--sbd", sbd.as_uri(), "--sbd-md5", md5(sbd)]
    assert main(["data", "voc", str(tmp_path / "house/data/voc"), *words, "--test", str(test)]) == 0
    run = whole_run(tmp_path / "house", "voc", ("pseudo", "final"))
    assert (row(run, "pseudo")["images"], row(run, "final")["images"]) == (2, 2)
    printed = make(run.house, "-n", "MARS=mars", "server", "DATA=voc", "RUN=tiny").stdout
    stages = plan(run.house, "server", "DATA=voc", "RUN=tiny")
    run.plan |= {stage: words for stage, words in stages.items() if stage.endswith("/server-test")}
    predictions = run.get("mars/server-test")
    assert sorted(path.stem for path in predictions.glob("*.png")) == sorted(TEST_IDS)
    light = [line.split()[1:] for line in printed.splitlines() if line.startswith(("mars labels", "mars check"))]
    assert [run.run(words) for words in light] == [0, 0]
    assert "results-test.tar.gz: 2 images, nothing is wrong" in capsys.readouterr().out


def test_a_folder_of_ones_own(tmp_path):
    make_own_folder(tmp_path / "data/folder")
    (tmp_path / "data/folder/masks/a.png").unlink()  # some images have no mask
    run = whole_run(tmp_path, "folder")
    assert row(run, "pseudo")["images"] == 5
    assert (row(run, "final")["split"], row(run, "final")["images"]) == ("val", 2)
    assert list(row(run, "final")["per_class"]) == ["background", *CLASSES]
    assert all(name in (tmp_path / "runs/tiny/report.html").read_text() for name in CLASSES)


def test_more_classes_than_eight_bits_hold(tmp_path):
    make_own_folder(tmp_path / "data/folder", absent=253)  # so that two classes are called 254 and 255
    run = whole_run(tmp_path, "folder")
    debiased = run.path("debias-cam-stego/labels")
    for folder, codes in ((run.path("wsss-cam/labels") / "mars", {0, 254}), (debiased, {0, 254, 65534})):
        assert set(np.unique(read_label(folder / "d.png", 257))) <= codes
    marked = [65534 in read_label(path) for path in debiased.glob("*.png")]
    assert len(marked) == 6 and any(marked)
    filled = [read_label(path, 257) for path in run.path("mars/complemented").glob("*.png")]
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
    stages = plan(make_house(tmp_path), "mars", "DATA=folder")
    assert not any("/rows/" in stage for stage in stages)
    words = next(words for stage, words in stages.items() if stage.endswith("/predictions"))
    assert words[words.index("--data.init_args.predict_split") + 1] == "train"


def test_voc_is_downloaded_where_that_is_asked_for_and_never_by_the_way(tmp_path):
    house = make_house(tmp_path)
    asked = make(house, "-n", "MARS=mars", "data/voc", "VOC_OPTIONS=--keep").stdout
    assert "mars data voc data/voc --keep" in asked
    by_the_way = make(house, "-n", "MARS=mars", "mars", "DATA=voc", check=False)
    assert by_the_way.returncode != 0
    assert "data/voc: no such folder; `make data/voc` downloads VOC" in by_the_way.stderr
