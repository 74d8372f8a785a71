"""A fit that was told who it is logs all its curves and images under that name, and ends its run."""

import csv

import numpy as np
import pytest

from datamodules.files.labels import BIASED, read_label, write_label
from mars_pl.dashboards.identity import Identity
from tests.cli.tiny_fit import TinyFit
from tests.dashboards.offline_run import read_offline_runs

MARS = ["-c", "train/mars", "--model.init_args.complement.init_args.refine", "null"]


def told(house, monkeypatch, **more):
    """Tell the commands of this process who they are."""
    words = {"id": "segment-1", "group": "voc", "job_type": "segment", "name": "segment mars seed 0"} | more
    identity = Identity("offline", str(house / "runs/voc"), tags=("voc", "mars"), config={"seed": 0}, **words)
    for name, value in identity.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A segmenter's fit of two epochs on labels with biased pixels, and a third epoch after it was broken off."""
    tiny = TinyFit(tmp_path_factory.mktemp("tiny"), "segmenter")
    for path in (tiny.house / "data/voc/Pseudo").glob("*.png"):
        label = read_label(path).copy()
        label[:, : label.shape[1] // 2][label[:, : label.shape[1] // 2] > 0] = BIASED
        write_label(path, label)
    with pytest.MonkeyPatch.context() as patch:
        told(tiny.house, patch, artifacts=True)
        assert tiny.fit(tiny.house / "fit", *MARS, "--trainer.max_epochs", "2") == 0
        last = str(tiny.house / "fit/checkpoints/last.ckpt")
        assert tiny.fit(tiny.house / "fit", *MARS, "--trainer.max_epochs", "3", "--ckpt_path", last) == 0
    return tiny.house


def test_who_the_run_is_and_that_it_ended(fitted):
    first, second = read_offline_runs(fitted / "runs/voc")
    for run in (first, second):  # files of one id come together when they are sent
        assert (run.id, run.group, run.job_type, run.name) == ("segment-1", "voc", "segment", "segment mars seed 0")
        assert run.tags == ("voc", "mars") and run.project == "mars" and run.exit_code == 0
        assert run.config["seed"] == 0
        assert run.config["settings"]["model"]["lr"] == 0.001
        assert run.config["settings"]["trainer"]["callbacks"]["EMATeacher"]["ramp"] == "mean"
        assert sorted(run.artifacts) == ["segment-student", "segment-weights"]


def test_every_curve_of_a_fit(fitted):
    run, resumed = read_offline_runs(fitted / "runs/voc")
    steps = run.curve("trainer/global_step")
    assert max(steps) < min(resumed.curve("trainer/global_step")), "nothing is logged twice"
    for key in ("train/loss", "train/biased_share", "train/certainty", "train/restored_share", "lr/0", "lr/1"):
        assert len(run.curve(key)) == 6, f"{key}: three steps in each of two epochs"
    assert run.curve("lr/0") == sorted(run.curve("lr/0"), reverse=True)
    assert all(value > 0 for value in run.curve("train/images_per_second"))
    assert all(0 <= value <= 1 for value in run.curve("train/restored_share"))
    for role in ("teacher", "student"):
        for figure in ("miou", "fp", "fn"):
            assert len(run.curve(f"val/{role}/{figure}")) == 2
        classes = {key.removeprefix(f"val/{role}/iou/") for key in run.keys if key.startswith(f"val/{role}/iou/")}
        assert {"background", "aeroplane", "bicycle"} <= classes
        some = [run.last(f"val/{role}/iou/{name}") for name in classes]
        assert run.last(f"val/{role}/miou") == pytest.approx(np.mean(some), abs=1e-6)
        for name in classes:
            whole = sum(run.last(f"val/{role}/{figure}/{name}") for figure in ("iou", "fp", "fn"))
            assert whole == pytest.approx(1, abs=1e-6)


def test_the_same_images_in_each_epoch_with_class_names(fitted):
    run, _ = read_offline_runs(fitted / "runs/voc")
    shown = {key.split("/")[1] for key in run.keys if key.startswith("overlays/")}
    assert shown == {"2007_000007", "2007_000008"}
    for image_id in shown:
        assert len(run.curve(f"overlays/{image_id}/path")) == 2, "one an epoch"
        picture = run.folder / "files" / run.last(f"overlays/{image_id}/path")
        assert picture.is_file()
        assert run.last(f"overlays/{image_id}/caption") == image_id
    labels = run.class_labels["overlays/2007_000007 prediction"]
    assert labels["1"] == "aeroplane" and labels[str(BIASED)] == "biased (removed)"


def test_the_table_of_the_fit_has_the_same_numbers(fitted):
    run, _ = read_offline_runs(fitted / "runs/voc")
    with (fitted / "fit/metrics-1.csv").open() as file:
        lines = list(csv.DictReader(file))
    losses = [float(line["train/loss"]) for line in lines if line["train/loss"]]
    assert losses == pytest.approx(run.curve("train/loss"))
    assert {"lr/0", "train/images_per_second", "val/student/fn/aeroplane"} <= lines[0].keys()


def test_a_fit_that_fails_leaves_a_failed_run(fitted, tmp_path, monkeypatch):
    tiny = TinyFit(tmp_path, "segmenter")
    told(tmp_path, monkeypatch)
    monkeypatch.setattr("callbacks.finite_loss.torch.isfinite", lambda loss: loss != loss)
    assert tiny.fit(tmp_path / "fit") == 1
    (run,) = read_offline_runs(tmp_path / "runs/voc")
    assert run.exit_code == 1


def test_online_without_a_login_is_one_line_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    words = ["-c", "trainer/wandb", "--trainer.logger.init_args.offline", "false"]
    tiny = TinyFit(tmp_path, "segmenter")
    assert tiny.fit(tmp_path / "fit", *words) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mars: ")]
    assert "no login for" in line and "wandb login" in line
    assert not list(tmp_path.rglob("*.ckpt"))
