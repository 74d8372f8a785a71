"""Leopart's batch, its queue and the paths it leaves out are those of all processes: one, two and three fit the same.

In double precision, so that what has no gradient but rounding does not move, and rates can be large enough to tell.
"""

import pytest
import torch

from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import QUIET, REPOSITORY
from tests.processes.agreement import fit

pytestmark = pytest.mark.slow  # minutes on two cores that others use too

VIT = {"patch_size": 8, "depth": 2, "embed_dim": 32, "num_heads": 2, "img_size": 32}
TEN = (
    "--model.init_args.backbone.init_args.pretrained false --model.init_args.head.init_args.hidden 16 "
    "--model.init_args.head.init_args.dim 8 --model.init_args.head.init_args.prototypes 12 --model.init_args.queue 50 "
    "--model.init_args.lr 1e-3 --model.init_args.head_lr 1e-3 --model.init_args.momentum .9 "
    "--model.init_args.drop_path .3 --data.init_args.training_set.init_args.global_size 48 "
    "--data.init_args.training_set.init_args.local_size 16 --data.init_args.batch_size 6 --data.init_args.workers 0 "
    "--trainer.max_epochs 10 --trainer.precision 64-true"
)


@pytest.fixture(scope="module")
def fitted(forked_jobs, tmp_path_factory):
    """Seven images, so that a batch of six is a step an epoch; what each number of processes has after ten steps."""
    house = tmp_path_factory.mktemp("leopart")
    names = make_voc_tree(house / "voc", 7, image_labels="none")
    (house / "voc/ImageSets/Segmentation/train_aug.txt").write_text("".join(f"{name}\n" for name in names))
    configs = REPOSITORY / "configs"
    yamls = [configs / f"{name}.yaml" for name in ("data/voc", "uss/leopart", "trainer/cpu")]
    words = ["fit", *(word for path in yamls for word in ("-c", path)), "--data.init_args.root", house / "voc"]
    words += ["--model.init_args.backbone", configs / "backbone/vit_small_patch16_dino.yaml"]
    for key, value in VIT.items():
        words += [f"--model.init_args.backbone.init_args.model_kwargs.{key}", value]
    states = {}
    for processes in (1, 2, 3):
        folder = house / f"fit-{processes}"
        fit(forked_jobs, house, [*words, *TEN.split(), *QUIET.split()], processes, folder)
        checkpoint = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)
        assert checkpoint["global_step"] == 10
        states[processes] = checkpoint["state_dict"]
    return states


@pytest.mark.parametrize("processes", [2, 3])
def test_ten_steps_give_student_teacher_and_queue_of_one_process(fitted, processes):
    assert fitted[processes].keys() == fitted[1].keys()
    for name, value in fitted[1].items():
        torch.testing.assert_close(fitted[processes][name], value, rtol=0, atol=1e-6, msg=name)


def test_the_steps_were_large_and_the_queue_took_part(fitted):
    """Otherwise the weights would be alike whatever the processes did."""
    state = fitted[1]
    assert int(state["queues.0.stored"]) > 100
    moved = state["network.vit.norm.weight"] - 1  # what LayerNorm starts with
    assert moved.abs().max() > 3e-3
    assert not torch.allclose(state["network.vit.norm.weight"], state["teacher.network.vit.norm.weight"], atol=1e-3)
