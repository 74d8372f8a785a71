"""The walk-through runs from top to bottom on a fabricated run, and is committed without outputs."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.fakes.fake_run import make_run

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "walkthrough.ipynb"


def test_no_outputs_are_committed():
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs"), "clear the notebook's outputs before committing"
        assert cell.get("execution_count") is None


def as_own_folder(root):
    """Images lie elsewhere than in JPEGImages, and none of them has a mask."""
    (root / "JPEGImages").rename(root / "images")
    places = {path.stem: f"images/{path.name}" for path in (root / "images").iterdir()}
    (root / "images.json").write_text(json.dumps(places))
    for path in (root / "SegmentationClass").iterdir():
        path.unlink()
    (root / "SegmentationClass").rename(root / "masks")


@pytest.mark.parametrize("finished", [True, False])
def test_it_runs(tmp_path, monkeypatch, finished):
    run = make_run(tmp_path, images=6, supervised=finished)
    if not finished:  # pictures of the last stage are missing, as where only labels were made
        (run / "segment-complemented").rename(run / "elsewhere")
        as_own_folder(tmp_path / "data" / "scenes")
    monkeypatch.setenv("MARS_RUN", str(run))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 5
    assert any("debiased labels" in str(output) for output in outputs)
    assert ("'closed': None" in str(outputs[-1])) is not finished
