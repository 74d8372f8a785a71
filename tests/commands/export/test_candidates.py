"""`mars export candidates`: the table as CSV, of a run, of a stage's folder or of the file itself."""

import pytest

from datamodules.errors import DataError
from mars_pl.cli.main import main
from mars_pl.commands.export.candidates import find_table
from tests.callbacks.writing.candidates.tables import write_table
from tests.fakes.fake_run import make_run

NAMES = ("background", "cat", "dog, small")
ROWS = [
    ("a/1", 0, 0, 70, 0.0, False, None),
    ("a/1", 1, 0, 10, 0.25, True, 1 / 3),
    ("b", 2, 1, 9, 2 / 3, False, None),
]
CSV = (
    "id,class,cluster,pixels,distance,selected,iou\r\n"
    "a/1,cat,0,10,0.250000,1,0.3333\r\n"
    'b,"dog, small",1,9,0.666667,0,\r\n'
)


def test_foreground_candidates_as_csv(tmp_path, capsys):
    table = write_table(tmp_path / "stage", NAMES, ROWS)
    for source in (table, table.parent):
        target = tmp_path / "out" / "candidates.csv"
        assert main(["export", "candidates", str(source), str(target)]) == 0
        assert target.read_bytes().decode() == CSV
        assert "2 candidates of" in capsys.readouterr().out
        target.unlink()


def test_a_run_by_its_name(tmp_path, monkeypatch):
    run = make_run(tmp_path, images=2)
    monkeypatch.chdir(tmp_path)
    assert find_table("scenes").resolve() == run / "debias-centroids" / "candidates.parquet"


def test_what_has_no_table_is_told(tmp_path, capsys):
    run = make_run(tmp_path, images=2)
    table = run / "debias-centroids" / "candidates.parquet"
    table.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="no table of candidates"):
        main_raises(run, tmp_path)
    assert not (tmp_path / "c.csv").exists()
    table.rename(table.with_suffix(".csv"))
    with pytest.raises(DataError, match=r"an earlier version wrote candidates\.csv"):
        main_raises(run, tmp_path)
    table.with_suffix(".csv").unlink()
    with pytest.raises(DataError, match="this run has no candidates yet"):
        main_raises(run, tmp_path)
    assert main(["export", "candidates", str(tmp_path / "nowhere"), str(tmp_path / "c.csv")]) == 1
    assert "nowhere: no run.json in it" in capsys.readouterr().err


def main_raises(run, folder):
    from mars_pl.commands.export.candidates import main as command

    command([str(run), str(folder / "c.csv")])
