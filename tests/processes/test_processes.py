"""Two processes on a CPU do what one does; the sizes do not divide. Two are started as a person does.

Nine images: seven in `train_aug`, three in `val`.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from safetensors.torch import load_file

from datamodules.files.labels import IGNORED, read_label
from tests.callbacks.writing.candidates.tables import read_rows
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import TinyRun
from tests.processes.started import start


class Count(pl.Callback):
    """Leaves which image each process has validated and how many pixels it has counted by then."""

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0):
        _, _, own = pl_module.teacher_scores.counts.clone()  # true pixels
        names = batch["id"]
        folder = Path(trainer.default_root_dir)
        (folder / f"counted.{trainer.global_rank}.{batch_idx}").write_text(json.dumps([names, int(own.sum())]))


@pytest.fixture(scope="module")
def odd_run(tmp_path_factory):
    house = tmp_path_factory.mktemp("odd")
    root = house / "data" / "voc"
    names = make_voc_tree(root, 9, image_labels="npy", pseudo="Pseudo")
    for split, members in {"train_aug": names[:7], "val": names[6:], "one": names[:1]}.items():
        (root / "ImageSets/Segmentation" / f"{split}.txt").write_text("".join(f"{name}\n" for name in members))
    # MARS from a folder of labels: the processes are the matter here, not the classifier
    return TinyRun(house, "labels=data/voc/Pseudo")


def test_candidates_and_selection(forked_jobs, odd_run):
    one = odd_run.get("debias-centroids")
    words = [*odd_run.words("debias-centroids"), "--trainer.default_root_dir", "runs/two/centroids"]
    ended = forked_jobs.run(odd_run.house, words, 2)
    assert ended.codes == [0, 0], ended.said
    two = odd_run.house / "runs/two/centroids"
    first, second = load_file(one / "centroids.safetensors"), load_file(two / "centroids.safetensors")
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert tensor.shape == second[name].shape
        assert torch.allclose(tensor.double(), second[name].double(), rtol=0, atol=1e-6, equal_nan=True), name
    first, second = read_rows(one), read_rows(two)
    assert [dict(row, vector=None, distance=None) for row in first] == [
        dict(row, vector=None, distance=None) for row in second
    ]
    assert len({row["id"] for row in first}) == 7
    assert not list(two.glob("*.part"))


def test_each_label_is_written_once_with_the_same_bytes(forked_jobs, odd_run):
    one = odd_run.get("debias-labels")
    more = ["--writer.init_args.workers", "1"]
    words = [*odd_run.words("debias-labels"), *more, "--trainer.default_root_dir", "runs/two/labels"]
    ended = forked_jobs.run(odd_run.house, words, 2)
    assert ended.codes == [0, 0], ended.said
    two = odd_run.house / "runs/two/labels"
    for pattern in ("*.png", "similarity/*.png", "removed.json"):
        found = sorted(path.relative_to(one) for path in one.glob(pattern))
        assert found == sorted(path.relative_to(two) for path in two.glob(pattern))
        assert [path for path in found if (one / path).read_bytes() != (two / path).read_bytes()] == []
    assert len(list(two.glob("*.png"))) == 7


def test_a_fit_validates_each_image_once_and_leaves_one_teacher(odd_run, capsys):
    odd_run.get("debias-labels")
    counting = ["--trainer.callbacks+", "tests.processes.test_processes.Count"]
    two_each = ["--data.init_args.batch_size", "4"]
    words = [*odd_run.words("mars/segment"), *counting, *two_each, "--trainer.default_root_dir", "runs/two/fit"]
    done = start(words, odd_run.house, 2)
    assert done.returncode == 0, done.stderr
    folder = odd_run.house / "runs/two/fit"
    parts = [json.loads(path.read_text()) for path in sorted(folder.glob("counted.*"))]
    names = [name for part, _ in parts for name in part]
    root = odd_run.house / "data/voc"
    listed = (root / "ImageSets/Segmentation/val.txt").read_text().split()
    assert sorted(names) == sorted(listed)
    totals = [max(json.loads(path.read_text())[1] for path in folder.glob(f"counted.{rank}.*")) for rank in range(2)]
    truth = [read_label(root / "SegmentationClass" / f"{name}.png") for name in listed]
    assert sum(totals) == sum(int(np.sum(label != IGNORED)) for label in truth)
    (printed,) = re.findall("teacher mIoU [^;]*", done.stdout)
    words = ["validate", *odd_run.words("mars/segment")[1:], "--trainer.default_root_dir", "runs/one/validate"]
    capsys.readouterr()
    assert odd_run.run([*words, "--model.init_args.weights", str(folder / "weights.safetensors")]) == 0
    assert printed.strip() in capsys.readouterr().out, "summed over the processes, it is what one counts"
    weights = load_file(folder / "weights.safetensors")
    assert all(torch.isfinite(value).all() for value in weights.values())
    assert (folder / "checkpoints/last.ckpt").is_file()


def test_fewer_images_than_processes(odd_run):
    odd_run.get("uss-fit")
    one = ["--data.init_args.predict_split", "one", "--trainer.default_root_dir", "runs/two/none"]
    done = start([*odd_run.words("debias-centroids"), *one], odd_run.house, 2)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mars: error: 1 images for 2 processes")
    assert "start fewer processes or take more images" in lines[0]
    assert "Traceback" not in done.stderr
