from __future__ import annotations

from functools import partial

import pytest
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from callbacks.seed_steps import SeedSteps
from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.leopart.head import LeopartHead
from mars_pl.uss.leopart.leopart_module import LeopartModule
from mars_pl.uss.leopart.schedule import cosine
from mars_pl.uss.leopart.sinkhorn import sinkhorn
from tests.fakes.quiet_trainer import quiet_trainer
from tests.processes.process_group import in_processes

SMALL_HEAD = partial(LeopartHead, dim=8, hidden=16, prototypes=6)
VIT = {"patch_size": 8, "depth": 2, "embed_dim": 32, "num_heads": 2, "img_size": 32}


@pytest.fixture
def backbone():
    torch.manual_seed(0)
    return FrozenViT("test_vit", model_kwargs=VIT)


def items(count=4, local=1):
    generator = torch.Generator().manual_seed(0)
    boxes = torch.tensor([[0, 0, 40, 40], [10, 8, 50, 48], [16, 16, 36, 36]], dtype=torch.float32)
    return [
        {
            "id": str(index),
            "global_crops": torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8, generator=generator),
            "local_crops": torch.randint(0, 256, (local, 3, 16, 16), dtype=torch.uint8, generator=generator),
            "crop_boxes": boxes[: 2 + local],
        }
        for index in range(count)
    ]


def fit(module, epochs=2, data=None, **options):
    trainer = quiet_trainer(max_epochs=epochs, **options)
    trainer.fit(module, DataLoader(data or items(), batch_size=2))
    return trainer


def state(network):
    return {key: value.clone() for key, value in network.state_dict().items()}


def test_teacher_and_student_start_from_one_transformer_with_heads_of_their_own(backbone):
    module = LeopartModule(backbone, SMALL_HEAD)
    ours, theirs = module.network, module.teacher.network
    for key, value in backbone.network.state_dict().items():
        assert torch.equal(ours.vit.state_dict()[key], value) and torch.equal(theirs.vit.state_dict()[key], value)
    for name in ("projection.0.weight", "projection.4.weight", "prototypes.weight"):
        own, other = ours.head.get_parameter(name), theirs.head.get_parameter(name)
        assert F.cosine_similarity(own.flatten(), other.flatten(), dim=0).abs() < 0.5, name


def test_the_student_learns_the_teacher_follows_and_the_backbone_stays(backbone):
    module = LeopartModule(backbone, SMALL_HEAD, lr=1e-3, momentum=0.5)
    start, frozen = state(module.network), state(backbone)
    trainer = fit(module)
    learnt, followed = state(module.network), state(module.teacher.network)
    assert trainer.global_step == 4
    for key, before in start.items():
        assert not torch.equal(learnt[key], before), key
        assert not torch.equal(followed[key], learnt[key]) and not torch.equal(followed[key], before), key
    assert all(torch.equal(value, frozen[key]) for key, value in backbone.state_dict().items())
    assert {"train/loss", "train/foreground", "teacher/momentum"} <= trainer.callback_metrics.keys()
    assert 0 < trainer.callback_metrics["train/foreground"] < 1


class Followed(LeopartModule):
    """Keeps what the student was before each step."""

    def on_before_optimizer_step(self, optimizer):
        self.seen = [*getattr(self, "seen", []), state(self.network)["vit.cls_token"]]
        super().on_before_optimizer_step(optimizer)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_teacher_takes_the_student_before_each_step_with_a_momentum_that_rises_along_a_cosine(backbone, accumulate):
    module = Followed(backbone, SMALL_HEAD, lr=1e-2, momentum=0.6)
    expected = module.teacher.network.vit.cls_token.double()
    fit(module, data=items(8), accumulate_grad_batches=accumulate)
    steps = 8 // accumulate
    for step in range(steps):
        momentum = cosine(0.6, 1.0, step, steps)
        expected = momentum * expected + (1 - momentum) * module.seen[step].double()
    assert len(module.seen) == steps, "while gradients are gathered the teacher waits"
    torch.testing.assert_close(module.teacher.network.vit.cls_token.double(), expected, rtol=1e-5, atol=1e-7)


def test_weight_decay_rises_on_matrices_alone_and_the_rate_falls(backbone):
    seen = []

    class Watched(LeopartModule):
        def on_before_optimizer_step(self, optimizer):
            super().on_before_optimizer_step(optimizer)
            seen.append([(group["weight_decay"], group["lr"]) for group in optimizer.param_groups])

    module = Watched(backbone, SMALL_HEAD, lr=1e-3, head_lr=1e-2, weight_decay=(0.04, 0.5))
    trainer = fit(module)
    for step, groups in enumerate(seen):
        decay, fall = cosine(0.04, 0.5, step, 4), cosine(1, 0, step, 4)
        wanted = [(decay, 1e-3 * fall), (0.0, 1e-3 * fall), (decay, 1e-2 * fall), (0.0, 1e-2 * fall)]
        assert groups == [pytest.approx(group) for group in wanted]
    decayed, free, head, head_free = (group["params"] for group in trainer.optimizers[0].param_groups)
    assert min(value.ndim for value in decayed + head) == 2 and {value.ndim for value in free + head_free} == {1}
    assert len(decayed + free + head + head_free) == len(list(module.network.parameters()))


def test_the_teacher_never_learns_nor_trains(backbone):
    module = LeopartModule(backbone, SMALL_HEAD)
    assert all(part.training for part in module.network.modules()), "Lightning leaves the mode as it finds it"
    module.train()
    assert not any(part.training for part in module.teacher.modules())
    assert not any(value.requires_grad for value in module.teacher.parameters())


def test_assignments_of_each_large_crop_are_balanced_over_its_own_tokens(backbone):
    module = LeopartModule(backbone, SMALL_HEAD, epsilon=0.5, iterations=100)
    batch = next(iter(DataLoader(items(), batch_size=4)))
    assignments, shown = module._assign(batch["global_crops"])
    assert assignments.shape == (2, 4, 6, 4, 4) and shown.shape == (2, 4, 4, 4) and shown.dtype == torch.bool
    torch.testing.assert_close(assignments.sum(2), torch.ones(2, 4, 4, 4))
    torch.testing.assert_close(assignments.sum((1, 3, 4)), torch.full((2, 6), 64 / 6), rtol=1e-4, atol=1e-4)
    vectors, _ = module.teacher.network.with_attention(batch["global_crops"][2:3, 1])
    best = module.teacher.network.scores(vectors)[0, :, 1, 2] / 0.5
    ratio = (assignments[1, 2, :, 1, 2].log() - best) - (assignments[1, 2, :, 3, 0].log())
    other = module.teacher.network.scores(vectors)[0, :, 3, 0] / 0.5
    torch.testing.assert_close(ratio + other, (ratio + other).mean().expand(6), rtol=0, atol=1e-4)


def test_the_queue_takes_foreground_and_is_assigned_along_once_full(backbone):
    module = LeopartModule(backbone, SMALL_HEAD, queue=24)
    crops = next(iter(DataLoader(items(), batch_size=4)))["global_crops"]
    alone, shown = LeopartModule._assign(module, crops)
    assert [int(queue.stored) for queue in module.queues] == [min(int(mask.sum()), 24) for mask in shown]
    while not all(queue.full for queue in module.queues):
        module._assign(crops)
    along, _ = module._assign(crops)
    assert along.shape == alone.shape
    torch.testing.assert_close(along.sum(2), torch.ones(2, 4, 4, 4))
    assert not torch.allclose(along, alone, atol=1e-3)


def test_an_epoch_and_a_resumed_one_are_two_epochs(backbone, tmp_path):
    """With the queue, the teacher's momentum and the drawn paths where they were."""

    def go(name, broken_off=False, resume=None):
        torch.manual_seed(0)
        module = LeopartModule(backbone, SMALL_HEAD, lr=1e-2, momentum=0.5, queue=24)
        stop = pl.callbacks.LambdaCallback(on_train_epoch_end=lambda t, m: setattr(t, "should_stop", broken_off))
        keep = pl.callbacks.ModelCheckpoint(tmp_path / name, filename="last", save_on_train_epoch_end=True)
        trainer = quiet_trainer(max_epochs=2, callbacks=[SeedSteps(3), keep, stop], enable_checkpointing=True)
        trainer.fit(module, DataLoader(items(), batch_size=2), ckpt_path=resume)
        return module.state_dict()

    straight, broken = go("straight"), go("broken", broken_off=True)
    resumed = go("resumed", resume=tmp_path / "broken/last.ckpt")
    assert not torch.equal(straight["network.vit.cls_token"], broken["network.vit.cls_token"])
    assert straight["queues.0.stored"] == resumed["queues.0.stored"] > broken["queues.0.stored"]
    for key, value in straight.items():
        assert torch.equal(value, resumed[key]), key


def test_the_students_prototypes_score_the_queue_and_the_teachers_this_batch(backbone):
    module = LeopartModule(backbone, SMALL_HEAD, queue=24)
    crops = next(iter(DataLoader(items(), batch_size=4)))["global_crops"]
    while not all(queue.full for queue in module.queues):
        module._assign(crops)
    earlier = module.queues[1].vectors.clone()
    found, _ = module._assign(crops)
    vectors, _ = module.teacher.network.with_attention(crops[:, 1])
    rows = vectors.movedim(1, -1).flatten(0, 2)
    own, other = (net.head.prototypes.weight for net in (module.network, module.teacher.network))
    shares = sinkhorn(torch.cat([earlier @ own.T, rows @ other.T]))[24:]
    torch.testing.assert_close(found[1].movedim(1, -1).flatten(0, 2), shares)
    for swapped in (torch.cat([earlier, rows]) @ own.T, torch.cat([earlier, rows]) @ other.T):
        assert not torch.allclose(sinkhorn(swapped)[24:], shares, atol=1e-3)


def assign(rank, count):
    """Three steps with a full queue, each process on its part of each batch."""
    torch.manual_seed(0)
    module = LeopartModule(FrozenViT("test_vit", model_kwargs=VIT), SMALL_HEAD, queue=25)
    torch.manual_seed(rank)  # as dropout and its like are seeded
    crops = next(iter(DataLoader(items(6), batch_size=6)))["global_crops"]
    for _ in range(3):
        found, _ = module._assign(crops[rank::count])
    assert module.queues[0].full
    return found.tolist(), module.queues[0].vectors.tolist()


@pytest.mark.parametrize("count", [2, 3])
def test_the_queue_is_that_of_all_processes_and_so_are_the_assignments(count):
    one, held = (torch.tensor(value) for value in assign(0, 1))
    shares = in_processes(count, assign, count)
    for rank in range(count):
        found, queue = (torch.tensor(value) for value in shares[rank])
        torch.testing.assert_close(queue, held)
        torch.testing.assert_close(found, one[:, rank::count], rtol=1e-4, atol=1e-6)


def test_crops_without_small_ones_do(backbone):
    assert fit(LeopartModule(backbone, SMALL_HEAD), epochs=1, data=items(local=0)).callback_metrics["train/loss"] > 0


def test_crops_too_small_for_a_foreground_are_refused(backbone):
    data = items()
    for item in data:
        item["global_crops"] = item["global_crops"][..., :24, :24]
    with pytest.raises(ValueError, match="3×3 tokens"):
        fit(LeopartModule(backbone, SMALL_HEAD), data=data)
