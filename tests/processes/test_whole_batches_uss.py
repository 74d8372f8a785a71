"""STEGO's batch is that of all processes: one, two and three of them fit the same head."""

from contextlib import chdir

import pytest
import torch
from safetensors.torch import load_file

from mars_pl.pipeline.execution.words import command_words
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import TinyRun, small
from tests.processes.agreement import fit

TEN = "--trainer.max_epochs 2 --data.init_args.batch_size 6"  # 35 crops: five steps an epoch
SEVERAL = [("tokens", 2), ("tokens", 3), ("images", 2)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Seven images to train on."""
    house = tmp_path_factory.mktemp("stego")
    root = house / "data" / "voc"
    names = make_voc_tree(root, 9, image_labels="npy", pseudo="Pseudo")
    (root / "ImageSets/Segmentation/train_aug.txt").write_text("".join(f"{name}\n" for name in names[:7]))
    return TinyRun(house, "labels=data/voc/Pseudo")


def head(jobs, run, source, processes):
    """Fit STEGO's head, from stored tokens or from images."""
    run.get("uss-neighbours")
    with chdir(run.house):
        words = command_words(run.places.of(run.stages["uss-fit"]), run.places)
    if source == "images":
        tokens = words.index("--data.init_args.training_set.init_args.tokens")
        del words[tokens : tokens + 2]
    folder = run.house / f"runs/{source}-{processes}"
    fit(jobs, run.house, [*words, *small(run.house, words), *TEN.split()], processes, folder)
    return load_file(folder / "weights.safetensors")


@pytest.fixture(scope="module")
def alone(forked_jobs, run):
    return {source: head(forked_jobs, run, source, 1) for source in ("tokens", "images")}


@pytest.mark.parametrize(("source", "processes"), SEVERAL)
def test_ten_steps_give_the_weights_of_one_process(forked_jobs, run, alone, source, processes):
    found = head(forked_jobs, run, source, processes)
    assert found.keys() == alone[source].keys()
    for name, value in alone[source].items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-4, msg=name)
