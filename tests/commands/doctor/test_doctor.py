import shutil
from types import SimpleNamespace

import pytest

from mars_pl.cli.main import main
from mars_pl.commands.doctor import command, machine_rows
from mars_pl.commands.doctor.machine_rows import Row


def rows(folder):
    return {row.what: row for row in machine_rows.machine_rows(folder)}


def test_a_machine_that_runs_the_tests_lacks_no_package(tmp_path, capsys):
    assert main(["doctor", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in (*machine_rows.PACKAGES, "cores", "GPUs", "trainer", "weights", "disk"))


def test_a_missing_package_is_the_end_and_has_a_remedy(monkeypatch, capsys):
    monkeypatch.setattr(command, "machine_rows", lambda folder: [Row("torch", "missing", "pip install torch")])
    assert main(["doctor"]) == 1
    assert "pip install torch" in capsys.readouterr().out


def test_what_is_scarce_has_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=2**30, total=2**26))
    monkeypatch.setattr(machine_rows, "find_spec", lambda name: None)
    found = rows(tmp_path)
    assert found["shared memory"] == Row("shared memory", "64.0 MiB", "docker run --shm-size=8g, or data.workers=0")
    assert found["disk"].found.startswith("1.0 GiB free") and found["disk"].remedy
    assert found["pydensecrf"].remedy.startswith("pip install 'mars-pl[crf]'")


def test_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("MARS_WEIGHTS", raising=False)
    assert rows(tmp_path)["weights"].remedy
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "vit[bold].pth").touch()
    assert rows(tmp_path)["weights"] == Row("weights", f"{tmp_path}/weights: vit[bold].pth")


def test_a_folder_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "nowhere"])
    assert ended.value.code == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
