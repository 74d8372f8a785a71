import pytest
import torch

from mars_pl.segment.adele.adele_module import ADELEModule
from mars_pl.segment.mixing import Mixing
from tests.segment.conftest import CLASSES


@pytest.fixture
def make_adele(make_network):
    def make(**options):
        network = make_network()
        return ADELEModule(lambda _: network, CLASSES, lr=0.05, head_factor=1, scales=(1.0,), **options)

    return make


def step(module, loader):
    logged = {}
    module.log_dict = lambda values, **_: logged.update(values)
    module.eval()  # no dropout
    return module.training_step(next(iter(loader)), 0), logged


def test_the_loss_is_that_of_every_scale_and_their_consistency(make_adele, make_loader):
    module = make_adele(consistency_weight=2.0, least_certain=0.0)
    seen = []
    module.network.register_forward_hook(lambda _, inputs, __: seen.append(tuple(inputs[0].shape[-2:])))
    loss, logged = step(module, make_loader(biased=False))
    assert seen == [(32, 32), (22, 22), (48, 48)]
    assert loss.item() == pytest.approx((logged["train/entropy"] + 2 * logged["train/consistency"]).item(), rel=1e-5)
    assert logged["train/consistency"] > 0
    batch = next(iter(make_loader(biased=False)))
    with torch.no_grad():
        third = module.loss(module.network(batch["image"]) / 3, batch["label"])
    alone, _ = step(make_adele(training_scales=[1.0]), make_loader(biased=False))
    assert logged["train/entropy"] > third, "logits are multiplied with their scale's share, a third at first"
    assert alone.item() == pytest.approx(module.loss(module.network(batch["image"]), batch["label"]).item(), rel=1e-5)


def test_the_shares_are_learnt_without_decay_and_the_mask_is_left(make_adele, make_loader):
    module = make_adele()
    loss, _ = step(module, make_loader(biased=False))
    loss.backward()
    assert module.consistency.weights.grad.abs().sum() > 0
    group = module.parameter_groups()[-1]
    assert group["weight_decay"] == 0 and group["params"][0] is module.consistency.weights
    batch = next(iter(make_loader()))
    assert module.predicted.shape == batch["label"].shape and module.predicted.dtype == torch.int64
    assert set(module.export()) == {"weights", "student"}, "a SegmentationModule predicts with what it leaves"


def test_a_first_scale_that_is_no_crop_as_it_is(make_adele):
    with pytest.raises(ValueError, match=r"training_scales: the first is 1, the crop as it is, not \[0.7, 1.0\]"):
        make_adele(training_scales=[0.7, 1.0])


def test_mixing_is_refused_in_one_line(make_adele):
    with pytest.raises(ValueError, match=r"mixing: train=adele counts masks of whole images .*; leave it out"):
        make_adele(mixing=Mixing())
