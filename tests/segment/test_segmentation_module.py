import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from callbacks.ema_teacher import EMATeacher
from callbacks.seed_steps import SeedSteps
from mars_pl.refine.protocol import Refine
from mars_pl.segment.complement import Complement
from mars_pl.segment.mixing import Mixing
from mars_pl.segment.segmentation_module import SegmentationModule
from mars_pl.training.weights import save_weights
from tests.fakes.quiet_trainer import quiet_trainer

BIASED, CLASSES = 254, 4


class Spy(Refine):
    def __init__(self):
        self.batches = []

    def __call__(self, images, probabilities):
        self.batches.append(images.clone())
        return probabilities


def trainer_of(tmp_path, callbacks=(), **options):
    defaults = {"default_root_dir": tmp_path, "max_epochs": 1, "num_sanity_val_steps": 0}
    return quiet_trainer(callbacks=list(callbacks), **{**defaults, **options})


def test_gradient_flows_to_the_student_only_and_the_teacher_stays_in_evaluation(tmp_path, make_module, make_loader):
    module = make_module(complement=Complement())
    student = [p.clone() for p in module.network.parameters()]
    teacher = {key: value.clone() for key, value in module.teacher.state_dict().items()}
    trainer = trainer_of(tmp_path)
    trainer.fit(module, make_loader(), make_loader(batch_size=1, length=3))
    assert any(not torch.equal(old, new) for old, new in zip(student, module.network.parameters(), strict=True))
    assert all(torch.equal(teacher[key], value) for key, value in module.teacher.state_dict().items())
    assert not any(part.training for part in module.teacher.modules())
    optimised = {id(p) for group in trainer.optimizers[0].param_groups for p in group["params"]}
    assert optimised == {id(p) for p in module.network.parameters()}


def test_the_network_is_looked_over_where_its_weights_are(make_module, monkeypatch):
    module = make_module()
    monkeypatch.setattr(SegmentationModule, "device", torch.device("meta"))  # as Lightning says of a GPU before moving
    module.setup("fit")


def test_only_images_with_biased_pixels_are_refined(tmp_path, make_module, make_loader):
    spy = Spy()
    module = make_module(complement=Complement(refine=spy))
    loader = make_loader()
    trainer_of(tmp_path).fit(module, loader)
    odd = [batch["image"][1::2] for batch in loader]
    assert len(spy.batches) == len(odd)
    assert all(torch.equal(seen, expected) for seen, expected in zip(spy.batches, odd, strict=True))


def test_teacher_and_refinement_rest_where_nothing_is_biased(tmp_path, make_module, make_loader):
    spy = Spy()
    module = make_module(complement=Complement(refine=spy))
    calls = []
    module.teacher.register_forward_hook(lambda *_: calls.append(1))
    trainer_of(tmp_path).fit(module, make_loader(biased=False))
    assert spy.batches == []
    assert len(calls) == 1  # the check of the number of classes at set-up


def test_without_a_complement_biased_pixels_are_ignored_and_said_so_once(tmp_path, make_module, make_loader, capsys):
    module = make_module()
    trainer_of(tmp_path).fit(module, make_loader())
    assert capsys.readouterr().out.count("biased pixels (254) are ignored") == 1
    module.log = lambda *_, **__: None
    batch = next(iter(make_loader()))
    label, weight = module._target(batch)
    assert weight is None
    assert torch.equal(label == 255, batch["label"] == BIASED)


def test_targets_of_untouched_images_and_pixels_stay(tmp_path, make_module, make_loader):
    module = make_module(complement=Complement())
    module.log = lambda *_, **__: None
    batch = next(iter(make_loader()))
    given = batch["label"].clone()
    label, weight = module._target(batch)
    biased = given == BIASED
    assert torch.equal(batch["label"], given)
    assert torch.equal(label[~biased], given[~biased])
    assert (weight[~biased] == 1).all()
    assert (weight[biased] < 1).all()
    for index in (1, 3):
        allowed = {0, int(batch["classes"][index].argmax()) + 1}
        assert set(label[index][biased[index]].tolist()) <= allowed


def test_the_student_learns_mixed_images_and_the_teacher_fills_those_that_are_not(tmp_path, make_module, make_loader):
    spy, seen, learnt = Spy(), [], []
    module = make_module(complement=Complement(refine=spy), mixing=Mixing(share=1.0))
    module.network.register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))
    module.loss.register_forward_pre_hook(lambda _, given: learnt.append(given[1].clone()))
    trainer_of(tmp_path).fit(module, make_loader())
    seen = [images for images in seen if len(images) > 1]  # without the check of the number of classes
    for batch, filled, mixed, label in zip(make_loader(), spy.batches, seen, learnt, strict=True):
        assert torch.equal(filled, batch["image"][1::2])
        pasted = (mixed != batch["image"]).any(dim=1)
        assert pasted.any()
        assert torch.equal(mixed.permute(0, 2, 3, 1)[pasted], batch["image"].roll(1, 0).permute(0, 2, 3, 1)[pasted])
        assert (label[pasted] > 0).all() and (label[pasted] < BIASED).all()


@pytest.mark.parametrize("complement", [None, Complement()])
def test_one_epoch_and_a_resumed_second_are_two_epochs(tmp_path, make_network, make_module, make_loader, complement):
    def fit(epochs, name, resume=None):
        # the schedule is that of the whole fit, as with a fit that was broken off
        module = make_module(make_network(), complement=complement)
        teacher = EMATeacher(0.9)
        stop = [pl.callbacks.LambdaCallback(on_train_epoch_end=lambda t, m: setattr(t, "should_stop", epochs == 1))]
        keep = pl.callbacks.ModelCheckpoint(tmp_path / name, filename="last", save_on_train_epoch_end=True)
        trainer = trainer_of(tmp_path, [teacher, SeedSteps(3), keep, *stop], max_epochs=2, enable_checkpointing=True)
        trainer.fit(module, make_loader(), ckpt_path=resume, weights_only=False)
        return module.state_dict(), teacher

    straight, teacher = fit(2, "straight")
    fit(1, "broken")
    resumed, again = fit(2, "resumed", str(tmp_path / "broken" / "last.ckpt"))
    assert teacher.updates == again.updates == 4
    assert teacher.initial_share == again.initial_share
    for key, value in straight.items():
        assert torch.equal(value, resumed[key]), key


def test_validation_scores_teacher_and_student(tmp_path, make_module, make_loader, capsys):
    module = make_module()
    torch.nn.init.constant_(module.network.decoder[-1].weight, 0)  # ties: the student says background everywhere
    trainer = trainer_of(tmp_path)
    trainer.validate(module, make_loader(batch_size=1, length=3), verbose=False)
    values = trainer.callback_metrics
    # truth: 16 × 16 of 32 × 32 are an object, of class 1, 2 and 3 in turn
    assert values["val/student/miou"].item() == pytest.approx((0.75 + 0 + 0 + 0) / 4)
    assert values["val/student/fn"].item() == pytest.approx(1)
    assert values["val/student/fp"].item() == pytest.approx(0)
    assert {"val/teacher/miou", "val/teacher/fp_all", "val/student/fn_all"} <= set(values)
    assert values["val/images"] == 3
    printed = capsys.readouterr().out
    assert "(val, 3 images, scale 1, no flip, no refinement): teacher mIoU" in printed
    assert "student mIoU 18.8 %, FP 0.000, FN 1.000" in printed


def test_a_test_counts_as_a_validation_does(tmp_path, make_module, make_loader, capsys):
    module = make_module()
    torch.nn.init.constant_(module.network.decoder[-1].weight, 0)
    trainer = trainer_of(tmp_path)
    trainer.test(module, make_loader(batch_size=1, length=3), verbose=False)
    values = trainer.callback_metrics
    assert values["test/student/miou"].item() == pytest.approx(0.75 / 4) and values["test/images"] == 3
    assert "(test, 3 images, scale 1, no flip, no refinement): teacher mIoU" in capsys.readouterr().out


def test_means_over_scored_classes(tmp_path, make_module, make_loader):
    module = make_module(scored_class_ids=[0, 1])
    torch.nn.init.constant_(module.network.decoder[-1].weight, 0)
    trainer = trainer_of(tmp_path)
    trainer.validate(module, make_loader(batch_size=1, length=3), verbose=False)
    assert trainer.callback_metrics["val/student/miou"].item() == pytest.approx(0.75 / 2)


def test_weights_go_into_both_networks_and_count_as_one(tmp_path, make_network, make_module, make_loader):
    other = make_network()
    torch.nn.init.constant_(other.decoder[-1].weight, 0.5)
    save_weights(other, tmp_path / "weights.safetensors")
    module = make_module(weights=str(tmp_path / "weights.safetensors"))
    for network in (module.network, module.teacher):
        assert torch.equal(network.decoder[-1].weight, other.decoder[-1].weight)
    trainer = trainer_of(tmp_path)
    trainer.validate(module, make_loader(batch_size=1, length=3), verbose=False)
    assert "val/teacher/miou" in trainer.callback_metrics
    assert "val/student/miou" not in trainer.callback_metrics
    assert not any(p.requires_grad for p in module.teacher.parameters())
    assert set(module.export()) == {"weights", "student"}
    assert module.export()["weights"] is module.teacher


def test_another_number_of_classes_is_refused_in_one_line(tmp_path, make_network, make_module, make_loader):
    module = make_module(make_network(num_classes=7))
    with pytest.raises(ValueError, match=r"DeepLabV3Plus has 7 output channels, the data 4 classes.* to 4$"):
        trainer_of(tmp_path).fit(module, make_loader())


def test_any_network_will_do(tmp_path, make_module, make_loader):
    class Pixelwise(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, CLASSES, 1)

        def forward(self, image):
            return self.layer(image.float() / 255)

    module = make_module(Pixelwise(), complement=Complement())
    trainer_of(tmp_path, [EMATeacher()]).fit(module, make_loader())
    assert not torch.equal(module.teacher.layer.weight, module.network.layer.weight)


def test_images_without_truth_are_not_measured(tmp_path, make_module, make_loader):
    dataset = make_loader(batch_size=1).dataset
    samples = [dataset[index] for index in range(3)]
    del samples[1]["truth"]
    module = make_module()
    torch.nn.init.constant_(module.network.decoder[-1].weight, 0)
    trainer = trainer_of(tmp_path)
    trainer.validate(module, torch.utils.data.DataLoader(samples), verbose=False)
    assert trainer.callback_metrics["val/student/miou"].item() == pytest.approx(0.75 / 3)  # class 2 was not counted
    assert trainer.callback_metrics["val/images"] == 2
