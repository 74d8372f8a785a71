"""Two processes of one fit leave one run in Weights & Biases, and each figure once."""

import json

from mars_pl.dashboards.identity import Identity
from tests.cli.tiny_fit import TinyFit
from tests.dashboards.offline_run import read_offline_runs


def test_nothing_twice_with_two_processes(forked_jobs, tmp_path):
    tiny = TinyFit(tmp_path, "segmenter")
    told = Identity("offline", str(tmp_path / "runs/voc"), "segment-1", "voc", "segment", "segment mars seed 0")
    words = ["fit", *tiny.words, "--data.init_args.batch_size", "4", "--trainer.default_root_dir", "fit"]
    ended = forked_jobs.run(tmp_path, words, 2, environment=told.environment())
    assert ended.codes == [0, 0], ended.said
    (run,) = read_offline_runs(tmp_path / "runs/voc")
    assert run.exit_code == 0 and json.loads(told.environment()["MARS_WANDB"])["id"] == run.id
    epochs = run.curve("val/teacher/miou")
    assert len(epochs) == len(run.curve("val/images")) == 2
    steps = [row["trainer/global_step"] for row in run.rows if "train/loss" in row]
    assert len(steps) == len(set(steps)) > 0
    shown = [key for key in run.keys if key.startswith("overlays/") and key.endswith("/caption")]
    assert shown and all(len(run.curve(key)) == 2 for key in shown)
