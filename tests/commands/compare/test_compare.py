"""`mars compare`: rows, classes, choices and images of runs side by side."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.files.labels import write_label
from mars_pl.commands.compare import command as compare
from mars_pl.commands.compare.differences import class_comparisons, compared_rows, differing_choices
from mars_pl.commands.compare.images import compared_images
from mars_pl.commands.compare.sources import read_sources
from mars_pl.commands.report import command as report
from tests.commands.browser import Watched, chromium
from tests.fakes.fake_run import add_networks, change, make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of the same images; the second was told otherwise, and called one image's object background."""
    first = make_run(tmp_path_factory.mktemp("compare"), images=6)
    add_networks(first)
    second = first.parent / "<b>other [bold]"
    shutil.copytree(first, second)
    change(second / "run.json", choices={"wsss": "irn", "uss": "stego", "segmenter": "small", "train": "mars"})
    row = json.loads((second / "rows" / "final.json").read_text())
    row["per_class"]["boat"]["iou"] += 0.125
    change(second / "rows" / "final.json", miou=row["miou"] - 0.05, per_class=row["per_class"])
    (second / "rows" / "supervised.json").unlink()
    write_label(second / "segment-complemented" / "scene_00002.png", np.zeros((96, 128), np.uint8))
    return first, second


def test_rows_and_their_differences(runs):
    rows = {compared.name: compared for compared in compared_rows(read_sources(list(map(str, runs))))}
    final = rows["final"].runs
    assert final[0].change["miou"] is None
    assert final[1].change["miou"] == pytest.approx(-0.05)
    assert final[1].change["fp"] == 0
    assert rows["supervised"].runs[1].row is None
    assert rows["final"].unlike == []


def test_what_was_not_measured_alike_is_said(runs, tmp_path, capsys):
    report.main([str(runs[1]), "--no-html"])
    path = tmp_path / "far.json"
    shutil.copy(runs[1] / "metrics.json", path)
    metrics = json.loads(path.read_text())
    metrics["rows"]["final"]["refinement"] = "crf"
    path.write_text(json.dumps(metrics))
    assert compare.main([str(runs[0]), str(path), "--no-html"]) == 0
    printed = capsys.readouterr().out
    assert "MARS network not measured alike: refinement" in " ".join(printed.split())
    assert re.search(r"far +68\.9 +−5\.0", printed)
    assert "wsss: scenes cam, far irn" in printed


def test_classes_and_choices(runs):
    sources = read_sources(list(map(str, runs)))
    entries = {entry["name"]: entry for entry in class_comparisons(sources)}
    assert "supervised" not in entries, "one run alone is no comparison"
    table = entries["final"]["table"]
    assert table["rows"] == ["scenes", "<b>other [bold]", "difference"]
    boat = dict(table["classes"])["boat"]
    assert boat[0][2] == pytest.approx(0.125)
    assert [chart["field"] for chart in entries["final"]["bars"]] == ["IoU", "FP", "FN"]
    assert differing_choices(sources) == [("wsss", ["cam", "irn"])]


def test_images_have_the_layers_of_both(runs):
    labels, networks = compared_images(read_sources(list(map(str, runs))))
    assert [layer.key for layer in networks.layers] == ["truth", "baseline@0", "baseline@1", "final@0", "final@1"]
    assert labels.judged.keys == ("complemented@0", "complemented@1")
    assert labels.judged.names == ("scenes", "<b>other [bold]")
    assert len(labels.ids) == 6


def test_runs_of_other_classes_are_compared_by_numbers_alone(runs, tmp_path):
    other = make_run(tmp_path, images=2)
    change(other / "run.json", classes=["background", "a", "b", "c", "d", "e", "f"])
    assert compared_images(read_sources([str(runs[0]), str(other)])) == []


def test_names_that_are_alike_are_told_apart_and_what_is_wrong_is_named(runs, tmp_path):
    other = make_run(tmp_path, images=1)
    assert [source.name for source in read_sources([str(runs[0]), str(other)])] == [str(runs[0]), str(other)]
    with pytest.raises(DataError, match="two runs and more"):
        read_sources([str(runs[0])])
    with pytest.raises(DataError, match="named twice"):
        read_sources([str(runs[0]), str(runs[0])])
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(DataError, match=r"x\.json: .*`mars report RUN` writes such a file"):
        read_sources([str(tmp_path / "x.json"), str(other)])


def test_compare_imports_neither_torch_nor_lightning(runs):
    code = f"import sys; from mars_pl.commands.compare.command import main; main({list(map(str, runs))!r})"
    code += "; print([m for m in ('torch', 'pytorch_lightning', 'timm', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert (runs[0].parent / "compare-scenes-<b>other [bold].html").is_file()


@pytest.mark.parametrize("width", [1400, 420])
def test_the_page_in_a_browser(runs, width, tmp_path, capsys):
    path = tmp_path / "both.html"
    compare.main([*map(str, runs), "--html", str(path)])
    assert str(path) in capsys.readouterr().out.replace("\n", "")
    with chromium() as browser:
        watched = Watched(browser, path, width)
        page = watched.page
        first = page.locator("[data-images='0'] .open b").first
        assert first.inner_text() == "scene_00002", "what differs most stands first"
        strips = watched.texts("[data-images='0'] .strips h3")
        assert strips == ["Better in scenes than in <b>other [bold]"]
        first.click()
        assert page.locator("dialog h2").inner_text() == "scene_00002"
        page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert "+12.5" in page.locator("details[open] .classes-table").inner_text()
        assert watched.faults == []
