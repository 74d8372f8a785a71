import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from callbacks.ema_teacher import EMATeacher
from callbacks.seed_steps import SeedSteps
from mars_pl.segment.dhr.dhr_module import DHRModule
from mars_pl.segment.dhr.rebalancing import Rebalancing
from mars_pl.segment.mixing import Mixing
from mars_pl.uss.frozen import Frozen
from tests.fakes.quiet_trainer import quiet_trainer
from tests.segment.conftest import CLASSES


class Colours(Frozen):
    """Unsupervised features: the mean colour of each 4×4 cell."""

    def forward(self, image):
        return nn.functional.avg_pool2d(image.float() / 255, 4) - 0.5


@pytest.fixture
def make_dhr(make_network):
    def make(network=None, rebalancing=None, **options):
        made = make_network() if network is None else network
        torch.manual_seed(1)  # the classifier's
        return DHRModule(
            Colours(),
            rebalancing or Rebalancing(),
            network=lambda _: made,
            num_classes=CLASSES,
            **{"lr": 0.05, "head_factor": 2, "scales": (1.0,), **options},
        )

    return make


def trainer_of(folder, callbacks=(), **options):
    defaults = {"default_root_dir": folder, "max_epochs": 1, "num_sanity_val_steps": 0}
    return quiet_trainer(callbacks=list(callbacks), **{**defaults, **options})


def test_network_and_classifier_learn_and_what_is_left_is_a_segmenter(tmp_path, make_dhr, make_loader):
    module = make_dhr()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    trainer = trainer_of(tmp_path)
    trainer.fit(module, make_loader())
    after = module.state_dict()
    for key in ("classifier.weight", "network.decoder.4.weight"):
        assert not torch.equal(before[key], after[key]), key
    rates = [group["initial_lr"] for group in trainer.optimizers[0].param_groups]
    assert rates == [0.05, 0.1, 0.1]
    assert not any("classifier" in key for part in module.export().values() for key in part.state_dict())
    logged = trainer.callback_metrics
    assert logged["train/loss"].item() == pytest.approx(
        logged["train/segmentation"].item() + logged["train/classification"].item()
    )
    assert 0 <= logged["train/seeded_share"] <= 1 and 0 <= logged["train/changed_share"] <= 1


def test_it_learns_the_online_label_and_biased_pixels_are_unknown_to_it(make_dhr, make_loader):
    seen = []

    class Spy(Rebalancing):
        def forward(self, images, label, classes, scores, features, layers, valid=None):
            seen.append((label, scores.shape, features.shape, [layer.shape[1] for layer in layers]))
            online = torch.full_like(label, 3)
            return label, online

    module = make_dhr(rebalancing=Spy(), classification_weight=0.0)
    module.log_dict = lambda *_, **__: None
    learnt = []
    module.loss.register_forward_hook(lambda _, given, loss: learnt.append((given[1], loss)))
    batch = next(iter(make_loader()))
    loss = module.training_step(batch, 0)
    assert (learnt[0][0] == 3).all()
    assert loss.item() == learnt[0][1].item()
    label, scores, features, layers = seen[0]
    assert torch.equal(label == 255, batch["label"] == 254)
    assert scores == (4, CLASSES - 1, 1, 1) and features == (4, 3, 8, 8) and len(layers) == 2


def test_image_scores_are_those_of_the_valid_cells():
    scores = torch.tensor([[[[1.0, 3.0], [10.0, 20.0]]]])
    valid = torch.ones(1, 8, 8, dtype=torch.bool)
    image = torch.zeros(1, 3, 8, 8)
    assert DHRModule._image_scores(scores, image, valid).tolist() == [[8.5]]
    valid[:, 4:] = False
    assert DHRModule._image_scores(scores, image, valid).tolist() == [[2.0]]


def test_one_epoch_and_a_resumed_second_are_two_epochs(tmp_path, make_network, make_dhr, make_loader):
    def fit(epochs, name, resume=None):
        module = make_dhr(make_network())
        stop = [pl.callbacks.LambdaCallback(on_train_epoch_end=lambda t, m: setattr(t, "should_stop", epochs == 1))]
        keep = pl.callbacks.ModelCheckpoint(tmp_path / name, filename="last", save_on_train_epoch_end=True)
        callbacks = [EMATeacher(0.9), SeedSteps(3), keep, *stop]
        trainer = trainer_of(tmp_path, callbacks, max_epochs=2, enable_checkpointing=True)
        trainer.fit(module, make_loader(), ckpt_path=resume, weights_only=False)
        return module.state_dict()

    straight = fit(2, "straight")
    fit(1, "broken")
    resumed = fit(2, "resumed", str(tmp_path / "broken" / "last.ckpt"))
    for key, value in straight.items():
        assert torch.equal(value, resumed[key]), key


def test_mixing_is_refused_in_one_line(make_dhr):
    with pytest.raises(
        ValueError, match="mixing: train=dhr makes its labels of each image's own regions; leave it out"
    ):
        make_dhr(mixing=Mixing())


def test_a_network_without_features_is_refused_in_one_line(make_dhr):
    with pytest.raises(ValueError, match=r"train=dhr: the network Conv2d gives no features .* take a DeepLabv3\+"):
        make_dhr(nn.Conv2d(3, CLASSES, 1))
