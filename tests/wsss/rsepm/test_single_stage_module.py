import pytest
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch.utils.data import DataLoader, Dataset

from callbacks.ema_teacher import EMATeacher
from callbacks.seed_steps import SeedSteps
from mars_pl.wsss.rsepm.edge_predict_mix import EdgePredictMix
from mars_pl.wsss.rsepm.seed_source import SeedSource
from mars_pl.wsss.rsepm.self_correlation import SelfCorrelationGuidance
from mars_pl.wsss.rsepm.single_stage_module import SingleStageModule
from tests.fakes.quiet_trainer import quiet_trainer


class Crops(Dataset):
    """Grey crops with a bright square, whose hue tells the class."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        image = torch.randint(90, 110, (3, 32, 32), generator=generator, dtype=torch.uint8)
        class_index = index % 3
        image[class_index, 8:24, 8:24] += 140
        valid = torch.ones(32, 32, dtype=torch.bool)
        valid[28:] = False
        classes = F.one_hot(torch.tensor(class_index), 3).float()
        return {"id": f"{index}", "image": image, "classes": classes, "valid": valid}


def make(network, **options):
    seeds = SeedSource(guidance=SelfCorrelationGuidance())
    defaults = {"mix": EdgePredictMix(0.0), "recursive_from": 1, "mixed_from": 2, "lr": 0.01, "optimizer": "adamw"}
    return SingleStageModule(lambda num_classes: network, 4, seeds, **{**defaults, **options})


def fit(module, epochs=3, callbacks=None, resume=None):
    torch.manual_seed(0)
    trainer = quiet_trainer(
        max_epochs=epochs,
        callbacks=callbacks or [EMATeacher(0.5)],
        enable_checkpointing=callbacks is not None,
        num_sanity_val_steps=0,
    )
    loader = DataLoader(Crops(), batch_size=4)
    trainer.fit(module, loader, loader, ckpt_path=resume, weights_only=False)
    return trainer


def test_a_fit_goes_through_all_phases(make_network):
    module = make(make_network())
    sources, sizes = [], []
    seeds, forward = module.seeds, module.network.forward
    module.seeds = lambda image, output, scores, valid: (
        sources.append(torch.equal(scores, scores.clamp(0, 1)) and scores.shape[-1]),
        seeds(image, output, scores, valid),
    )[1]
    module.network.forward = lambda image: (sizes.append(len(image)), forward(image))[1]
    before = {key: value.clone() for key, value in module.teacher.state_dict().items()}
    trainer = fit(module)
    assert sources == [2, 2, 8, 8, 8, 8]  # of class maps at 1/16, then of the decoder at 1/4
    assert sizes == [4, 4, 4, 4, 8, 8]  # mixed images come on top
    assert trainer.callback_metrics["train/loss"].isfinite()
    assert 0 <= trainer.callback_metrics["val/mean_average_precision"] <= 1
    assert any(not torch.equal(value, before[key]) for key, value in module.export().state_dict().items())


def test_an_epoch_and_two_resumed_ones_are_three_epochs(make_network, tmp_path):
    """The phases and the teacher go on where they were."""

    def go(name, broken_off=False, resume=None):
        module = make(make_network())
        stop = pl.callbacks.LambdaCallback(on_train_epoch_end=lambda t, m: setattr(t, "should_stop", broken_off))
        keep = pl.callbacks.ModelCheckpoint(tmp_path / name, filename="last", save_on_train_epoch_end=True)
        fit(module, callbacks=[EMATeacher(0.5), SeedSteps(3), keep, stop], resume=resume)
        return module.state_dict()

    straight, broken = go("straight"), go("broken", broken_off=True)
    resumed = go("resumed", resume=tmp_path / "broken/last.ckpt")
    assert any(not torch.equal(value, broken[key]) for key, value in straight.items())
    for key, value in straight.items():
        assert torch.equal(value, resumed[key]), key


def test_without_a_mix_the_last_phase_mixes_nothing(make_network):
    module = make(make_network(), mix=None, mixed_from=0)
    sizes, forward = [], module.network.forward
    module.network.forward = lambda image: (sizes.append(len(image)), forward(image))[1]
    fit(module, epochs=1)
    assert sizes == [4, 4]


def test_the_same_seed_makes_the_same_weights(make_network):
    first, second, other = make(make_network()), make(make_network()), make(make_network(seed=1))
    for module in (first, second, other):
        fit(module)
    for key, value in first.teacher.state_dict().items():
        assert torch.equal(value, second.teacher.state_dict()[key]), key
    assert not torch.equal(first.teacher.classifier.weight, other.teacher.classifier.weight)


def test_the_loss_is_that_of_classes_and_seeds(make_network, monkeypatch):
    module = make(make_network(dropout=(0.0, 0.0)))
    module.seeds = lambda image, output, scores, valid: torch.where(valid, 1, 255)
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    module._trainer = type("Trainer", (), {"max_epochs": 10, "current_epoch": 0, "barebones": False})()
    batch = next(iter(DataLoader(Crops(), batch_size=4)))
    loss = module.training_step(batch, 0).double()
    output = module.network(batch["image"])
    logits, classes = output.class_logits.double(), batch["classes"].double()
    confident = classes * torch.sigmoid(logits).log() + (1 - classes) * torch.sigmoid(-logits).log()
    enlarged = F.interpolate(output.segmentation_logits.double(), (32, 32), mode="bilinear", align_corners=False)
    learnt = -enlarged.softmax(1)[:, 1].log()[batch["valid"]]
    assert loss.item() == pytest.approx((-confident.mean() + learnt.mean()).item(), rel=1e-4)


def test_prediction_holds_the_images_classes_only(make_network):
    module = make(make_network(), scales=[1.0, 0.5]).eval()
    image = torch.randint(0, 256, (1, 3, 50, 70), dtype=torch.uint8)
    with torch.no_grad():
        out = module.predict_step({"id": ["a"], "image": image, "classes": torch.tensor([[0.0, 1.0, 1.0]])}, 0)
    assert out["id"] == "a"
    assert out["class_ids"].tolist() == [2, 3]
    assert out["scores"].shape == (2, 50, 70)
    assert out["scores"].min() >= 0 and out["scores"].max() <= 1


def test_weights_of_a_fit_reach_both_networks(make_network, tmp_path):
    donor = make_network(seed=5)
    save_file({key: value.contiguous() for key, value in donor.state_dict().items()}, tmp_path / "w.safetensors")
    module = make(make_network(), weights=str(tmp_path / "w.safetensors"))
    for network in (module.network, module.teacher):
        assert torch.equal(network.classifier.weight, donor.classifier.weight)


def test_the_teacher_stays_in_evaluation_and_learns_nothing(make_network):
    module = make(make_network()).train()
    assert module.network.training
    assert not any(part.training for part in module.teacher.modules())
    assert not any(parameter.requires_grad for parameter in module.teacher.parameters())


def test_a_network_of_other_classes_is_refused(make_network):
    with pytest.raises(ValueError, match="the network has 5 classes"):
        make(make_network(num_classes=5))
