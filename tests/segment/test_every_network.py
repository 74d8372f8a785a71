"""What the last stage asks of every network: MARS's complement, half precision, compilation, layout, accumulation."""

import math
from functools import partial, partialmethod

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from callbacks.ema_teacher import EMATeacher
from callbacks.weights_writer import WeightsWriter
from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.segment.adapted_network import AdaptedNetwork
from mars_pl.segment.complement import Complement
from mars_pl.segment.deeplab_dhr import DHRDeepLabV1, DHRDeepLabV2
from mars_pl.segment.deeplabv1 import DeepLabV1
from mars_pl.segment.deeplabv2 import DeepLabV2
from mars_pl.segment.deeplabv3plus import DeepLabV3Plus
from mars_pl.segment.segmentation_module import SegmentationModule
from mars_pl.segment.weighted_cross_entropy import WeightedCrossEntropy
from mars_pl.training.weights import load_weights
from tests.fakes.quiet_trainer import quiet_trainer

CLASSES, BIASED = 4, 254
HALVES = pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
MAKE = {
    "v1": lambda: DeepLabV1(CLASSES, TimmIntermediateFeatures("test_resnet", frozen_batch_norm=False), channels=8),
    "v2": lambda: DeepLabV2(CLASSES, "test_resnet", frozen_batch_norm=False),
    "dhr_v1": lambda: DHRDeepLabV1(
        CLASSES, TimmIntermediateFeatures("test_resnet", frozen_batch_norm=False), channels=8
    ),
    "dhr_v2": lambda: DHRDeepLabV2(CLASSES, "test_resnet"),
    "v3plus": lambda: DeepLabV3Plus(
        CLASSES, "test_resnet", 16, aspp_channels=8, decoder_channels=8, low_level_channels=4
    ),
    "adapted": lambda: AdaptedNetwork(CLASSES, "tests.segment.test_adapted_network.Halving", "classes", multiple=2),
}
NETWORKS = pytest.mark.parametrize("name", MAKE)


def make(name):
    torch.manual_seed(0)
    return MAKE[name]()


def fit(module, loader, tmp_path, *callbacks, **options):
    defaults = {"max_epochs": 1, "default_root_dir": tmp_path}
    trainer = quiet_trainer(callbacks=[EMATeacher(), *callbacks], **{**defaults, **options})
    trainer.fit(module, loader)
    return trainer


class Seen:
    """What the loss and the complement were given and gave."""

    def __init__(self, module):
        self.logits, self.losses, self.weights, self.teacher = [], [], [], []
        module.loss.register_forward_hook(self._loss)
        module.complement.register_forward_hook(self._complement)

    def _loss(self, module, given, loss):
        self.logits.append(given[0])
        self.losses.append(loss)

    def _complement(self, module, given, gave):
        self.teacher.append(given[1])
        self.weights.append(gave[1])


@NETWORKS
def test_mars_trains_it_in_half_precision_with_loss_and_certainty_in_single(name, tmp_path, make_loader):
    module = SegmentationModule(lambda _: make(name), CLASSES, complement=Complement(), lr=0.01, head_factor=1)
    before, seen = [p.clone() for p in module.network.parameters()], Seen(module)
    trainer = fit(module, make_loader(length=4), tmp_path, precision="bf16-mixed")
    assert any(not torch.equal(a, b) for a, b in zip(before, module.network.parameters(), strict=True))
    assert len(seen.losses) == (4 if name == "v2" else 1)
    half = torch.float32 if name == "v1" else torch.bfloat16  # v1 enlarges its own logits, in single
    assert {logits.dtype for logits in seen.logits} == {half}
    assert {loss.dtype for loss in seen.losses} == {weight.dtype for weight in seen.weights} == {torch.float32}
    assert trainer.callback_metrics["train/loss"].item() == pytest.approx(sum(loss.item() for loss in seen.losses))
    assert not torch.equal(seen.weights[0], seen.weights[0].bfloat16().float()), "never rounded on the way"


def test_the_teacher_fills_with_the_maximum_over_scales(tmp_path, make_loader):
    module = SegmentationModule(partial(DeepLabV2, encoder="test_resnet"), CLASSES, complement=Complement(), lr=0.0)
    seen = Seen(module)
    fit(module, make_loader(length=4), tmp_path)
    images = torch.stack([make_loader().dataset[index]["image"] for index in range(4)])
    every = module.network.train()(images)
    assert len(every) == 4 and torch.allclose(seen.teacher[0], every[-1], atol=1e-6)


@HALVES
def test_equation_7_in_single_precision_by_hand(half):
    logits = torch.tensor([[[[0.0]], [[math.log(3)]]]]).to(half)
    log3 = logits[0, 1, 0, 0].item()
    label, weight = torch.ones(1, 2, 2, dtype=torch.int64), torch.full((1, 2, 2), 0.3)
    with torch.autocast("cpu", half):
        for size in ("image", "logits"):
            loss = WeightedCrossEntropy(loss_size=size)(logits, label, weight)
            assert loss.dtype == torch.float32
            assert loss.item() == pytest.approx(0.3 * math.log(1 + math.exp(-log3)), rel=1e-6)


@HALVES
def test_certainty_of_equation_6_in_single_precision_by_hand(half):
    logits = torch.tensor([0.1, 0.7, -0.3]).to(half)
    exponentials = [math.exp(value) for value in logits.tolist()]
    label = torch.full((1, 2, 2), BIASED)
    with torch.autocast("cpu", half):
        _, weight = Complement()(
            torch.zeros(1, 3, 2, 2, dtype=torch.uint8), logits.view(1, 3, 1, 1), label, torch.ones(1, 2), BIASED
        )
    assert weight.dtype == torch.float32
    assert weight.flatten().tolist() == pytest.approx([exponentials[1] / sum(exponentials)] * 4, rel=1e-6)


def test_certainty_stays_single_where_the_trainer_makes_half_the_default(make_loader):
    module = SegmentationModule(lambda _: make("v3plus"), CLASSES, complement=Complement())
    module.log = lambda *_, **__: None
    batch = next(iter(make_loader()))
    torch.set_default_dtype(torch.bfloat16)  # as precision bf16-true does around each step
    try:
        _, weight = module._target(batch)
    finally:
        torch.set_default_dtype(torch.float32)
    assert weight.dtype == torch.float32


@NETWORKS
def test_channels_last_changes_the_layout_and_nothing_else(name):
    network = make(name).eval()
    kernels = [p for p in network.parameters() if p.ndim == 4 and p.shape[1] > 1 and p.shape[-1] > 1]
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    image = torch.randint(0, 256, (2, 3, 40, 56), dtype=torch.uint8)
    expected = network(image)
    assert torch.allclose(network.to(memory_format=torch.contiguous_format)(image), expected, atol=1e-4)


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n == "adapted" else pytest.mark.slow) for n in MAKE])
def test_compiled_it_learns_the_same_under_the_same_names(name, tmp_path, make_loader, monkeypatch):
    plain = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", partialmethod(plain, backend="eager"))  # traced, and not built by a C++
    weights = {}
    for compile in (False, True):
        module = SegmentationModule(lambda _: make(name), CLASSES, complement=Complement(), lr=0.01, compile=compile)
        torch.manual_seed(1)  # dropout
        fit(module, make_loader(length=4), tmp_path, WeightsWriter(str(tmp_path / str(compile))))
        assert (module.network._compiled_call_impl is not None) == compile
        assert not any("_orig_mod" in key for key in module.state_dict())
        load_weights(fresh := make(name), tmp_path / str(compile) / "weights.safetensors")
        weights[compile] = fresh.state_dict()
    assert all(torch.allclose(value, weights[True][key], atol=1e-5) for key, value in weights[False].items())


def test_accumulated_batches_move_teacher_and_schedule_once(tmp_path, make_loader):
    class Rates(pl.Callback):
        def __init__(self):
            self.used = []

        def on_before_optimizer_step(self, trainer, module, optimizer):
            self.used.append(optimizer.param_groups[0]["lr"])

    module = SegmentationModule(lambda _: make("v3plus"), CLASSES, lr=0.1, head_factor=1)
    rates = Rates()
    trainer = fit(module, make_loader(batch_size=2, length=12), tmp_path, rates, accumulate_grad_batches=2)
    assert trainer.global_step == trainer.callbacks[0].updates == 3
    assert rates.used == pytest.approx([0.1, 0.1 * (2 / 3) ** 0.9, 0.1 * (1 / 3) ** 0.9])


def test_the_schedule_changes_every_so_many_steps(tmp_path, make_loader):
    module = SegmentationModule(lambda _: make("v3plus"), CLASSES, lr=0.1, head_factor=1, lr_every=2)
    trainer = fit(module, make_loader(batch_size=2, length=6), tmp_path)  # 3 steps, the last at the rate of step 2
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.1 * (1 / 3) ** 0.9)
