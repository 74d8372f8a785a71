"""`mars figures`: every file drawn, what is missing said in a line each, and the page that shows them."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from datamodules.errors import DataError
from mars_pl.commands.figures import command
from mars_pl.commands.figures.command import FIGURES, TABLES
from mars_pl.commands.report import command as report
from mars_pl.commands.report.figures import ORDER, drawn_figures
from mars_pl.commands.report.run import open_run
from tests.fakes.fake_run import change


def test_all_that_the_run_has_is_drawn_and_the_rest_said(whole_run, capsys):
    assert command.main([str(whole_run)]) == 0
    files = {path.name for path in (whole_run / "figures").iterdir()}
    drawn = {f"figure_{name}.{kind}" for name in FIGURES for kind in ("png", "svg")}
    assert files == drawn | {f"{name}.{kind}" for name in ("table4", "table5") for kind in ("md", "tex")} | {
        "figures.json"
    }
    said = capsys.readouterr().out
    assert "Table 6 is left out: the run has no row complement" in said
    for name in FIGURES:
        picture = np.asarray(Image.open(whole_run / f"figures/figure_{name}.png").convert("RGB"))
        assert picture.shape[1] >= 600 and picture.std() > 5, "something is drawn on it"


def test_the_same_run_gives_the_same_files(whole_run):
    paths = [whole_run / "figures" / f"figure_{name}.{kind}" for name in ("8", "10") for kind in ("png", "svg")]
    contents = []
    for _ in range(2):
        command.main([str(whole_run), "--only", "8", "10"])
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]


def test_the_page_shows_what_was_drawn_from_its_stages(whole_run):
    command.main([str(whole_run), "--only", "9", "table4", "--format", "png"])
    command.main([str(whole_run), "--only", "1b", "--format", "svg"])
    report.main([str(whole_run)])
    text = (whole_run / "report.html").read_text()
    headings = re.findall(r"<h3>((?:Fig\.|Table) [^<]*)</h3>", text)
    assert headings == [
        "Fig. 1(b): False positives of each class", "Fig. 9: IoU of each class", "Table 4: USS methods",
    ]  # fmt: skip
    assert 'src="data:image/svg+xml;base64,' in text and 'src="data:image/png;base64,' in text
    assert "<td><b>73.9</b></td>" in text and "MARS network 73.9 %" in text
    rows = json.loads((whole_run / "run.json").read_text())["rows"]
    change(whole_run / "run.json", rows=rows | {"more": "rows/final.json"})
    report.main([str(whole_run)])
    assert "The paper's figures" not in (whole_run / "report.html").read_text(), "they are of another run now"


def test_a_picture_that_is_gone_is_not_shown(whole_run):
    command.main([str(whole_run), "--only", "9", "10", "--format", "png"])
    (whole_run / "figures/figure_9.png").unlink()
    assert [entry["name"] for entry in drawn_figures(open_run(str(whole_run)))] == ["10"]


def test_every_name_has_a_place_in_the_page():
    assert (*FIGURES, *TABLES) == ORDER


@pytest.mark.parametrize(
    ("name", "part", "entries", "said"),
    [
        ("1b", "rows", None, r"Fig. 1\(b\): the run has no figures by class"),
        ("3", "stages", ["debias-centroids"], r"Fig. 3: the run has no table of candidates"),
        ("3", "labels", ["pseudo"], r"Fig. 3: the run's pseudo labels are not there"),
        ("7", "labels", ["debiased"], r"Fig. 7: the run's Yᵈᵇ are not there"),
        ("8", "stages", ["debias-centroids"], r"Fig. 8: the run has no table of candidates"),
        ("9", "rows", ["baseline", "final", "supervised"], r"Fig. 9: none of the rows baseline, final and supervised"),
        ("10", "stages", ["debias-labels"], r"Fig. 10: nothing was swept of the labels"),
        ("table4", "rows", ["final"], r"Table 4: no run at hand has the rows baseline and final"),
        ("table5", "rows", ["supervised"], r"Table 5: no run at hand has the rows baseline, final and supervised"),
        ("table6", "rows", ["baseline"], r"Table 6: the run has no row baseline"),
    ],
)
def test_what_was_asked_for_and_is_lacking_ends_in_one_line(whole_run, without, name, part, entries, said):
    without(
        whole_run, part, *(json.loads((whole_run / "run.json").read_text())["rows"] if entries is None else entries)
    )
    with pytest.raises(DataError, match=said) as fault:
        command.main([str(whole_run), "--only", name])
    assert "\n" not in str(fault.value)


def test_a_run_with_nothing_is_an_error(run, without):
    manifest = json.loads((run / "run.json").read_text())
    for part in ("rows", "stages", "labels"):
        without(run, part, *manifest[part])
    with pytest.raises(DataError, match="none of the figures can be drawn"):
        command.main([str(run)])
    assert not (run / "figures/figures.json").exists()


def test_a_damaged_file_is_no_lack(whole_run):
    (whole_run / "sweep.json").write_text("{")
    with pytest.raises(DataError, match=r"sweep.json: is no JSON"):
        command.main([str(whole_run)])


def test_an_unknown_figure_is_refused(whole_run, capsys):
    with pytest.raises(SystemExit):
        command.main([str(whole_run), "--only", "4"])
    assert "invalid choice: '4'" in capsys.readouterr().err
