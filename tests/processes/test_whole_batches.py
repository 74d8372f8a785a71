"""The batch of an optimiser step is that of all processes: one, two and three of them fit the same weights."""

import re
from contextlib import chdir

import pytest
import yaml

from datamodules.files.labels import read_label
from mars_pl.pipeline.execution.words import command_words
from tests.fakes.eager_correction import OVERLAY
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import TinyRun, small
from tests.processes.agreement import TEN, check_processes_agree
from tests.processes.started import start

# Batch norms are frozen in both, as published: of each process they would see its own share alone.
FITS = {
    "cam/wsss-classifier": "--model.init_args.network.init_args.frozen_batch_norm true --model.init_args.lr .01",
    "baseline/segment": "--data.init_args.label_folder data/voc/Pseudo --model.init_args.lr .01",
    "adele/segment": "-c eager.yaml --data.init_args.label_folder data/voc/Pseudo --model.init_args.lr .01",
}
DEEPLABV2 = {
    "model": {"init_args": {"network": {"init_args": {"encoder": "test_resnet", "pretrained": False}}}},
    "data": {"init_args": {"workers": 0, "training_set": {"init_args": {"crop_size": 33}}}},
    "trainer": {"max_steps": -1, "accumulate_grad_batches": 1, "enable_progress_bar": False},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Nine images, seven of them to train on: a batch of six is a step an epoch."""
    house = tmp_path_factory.mktemp("batches")
    root = house / "data" / "voc"
    names = make_voc_tree(root, 9, image_labels="npy", pseudo="Pseudo")
    (root / "ImageSets/Segmentation/train_aug.txt").write_text("".join(f"{name}\n" for name in names[:7]))
    (house / "deeplabv2.yaml").write_text(yaml.safe_dump(DEEPLABV2))
    (house / "eager.yaml").write_text(yaml.safe_dump({"trainer": OVERLAY}))
    return TinyRun(house, "segmenter=deeplabv2_resnet50")


def words_of(run, key):
    with chdir(run.house):
        words = command_words(run.places.of(run.stages[key]), run.places)
    words += ["-c", "deeplabv2.yaml"] if key.endswith("/segment") else small(run.house, words)
    return [*words, *FITS[key].split(), *TEN, "--trainer.check_val_every_n_epoch", "100"]


@pytest.mark.parametrize("key", FITS)
def test_ten_steps_give_the_weights_of_one_process(forked_jobs, run, key):
    name = key.split("/")[0]
    check_processes_agree(forked_jobs, run.house, words_of(run, key), name)
    if name == "adele":  # whoever saw an image, its label is the same, but for pixels on the median
        labels = [labels_below(run.house / f"runs/{name}-{count}/corrected_labels/9") for count in (1, 2, 3)]
        for other in labels[1:]:
            assert other.keys() == labels[0].keys() != set()
            assert all((other[key] != label).mean() < 0.01 for key, label in labels[0].items())


def labels_below(folder):
    return {path.name: read_label(path) for path in folder.glob("*.png")}


def test_a_batch_that_does_not_divide_is_refused_before_anything_is_fitted(run):
    more = ["--data.init_args.batch_size", "5", "--trainer.default_root_dir", "runs/odd"]
    done = start([*words_of(run, "cam/wsss-classifier"), *more], run.house, 2)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("mars: error: ")]
    assert len(lines) == 1 and re.search("data.batch_size: 5, .* does not divide among 2 processes", lines[0])
    assert not (run.house / "runs/odd/weights.safetensors").exists()
