from functools import partial

import pytest
import torch
import torch.nn.functional as F

from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.training.weights import save_weights
from mars_pl.wsss.seam.losses import seam_losses
from mars_pl.wsss.seam.network import SEAM
from mars_pl.wsss.seam.seam_module import SEAMModule


def make(**options) -> SEAMModule:
    torch.manual_seed(0)
    network = partial(SEAM, backbone=TimmIntermediateFeatures("test_resnet"))
    return SEAMModule(network, num_classes=4, **options)


def image_of(*classes):
    image = torch.randint(0, 256, (1, 3, 40, 54), dtype=torch.uint8)
    return {"id": ["a"], "image": image, "classes": torch.tensor([classes]).float()}


def test_prediction_holds_the_images_classes_stretched_to_their_range(monkeypatch):
    module = make(scales=[1.0, 0.5]).eval()
    monkeypatch.setattr(module.network, "activation", lambda image, _: torch.rand(len(image), 2, *image.shape[-2:]))
    with torch.no_grad():
        out = module.predict_step(image_of(1, 0, 1), 0)
    assert out["id"] == "a" and out["class_ids"].tolist() == [1, 3]
    assert out["scores"].shape == (2, 40, 54) and out["scores"].dtype == torch.float32
    assert out["scores"].amin((-2, -1)).tolist() == [0, 0] and out["scores"].max() <= 1
    assert out["scores"].amax((-2, -1)).min() > 0.9


def test_an_image_without_labels_has_no_scores():
    with torch.no_grad():
        out = make(scales=[1.0]).eval().predict_step(image_of(0, 0, 0), 0)
    assert out["class_ids"].tolist() == [] and out["scores"].shape == (0, 40, 54)


def test_prediction_does_not_depend_on_a_mirror():
    module, batch = make(scales=[1.0, 1.5]).eval(), image_of(1, 1, 1)
    mirrored = batch | {"image": batch["image"].flip(-1)}
    with torch.no_grad():
        ours, theirs = (module.predict_step(b, 0)["scores"] for b in (batch, mirrored))
    assert torch.allclose(ours, theirs.flip(-1), atol=1e-3)


def test_a_training_step_compares_the_image_with_its_smaller_view(monkeypatch):
    module = make(view_scale=0.5).eval()  # without dropout
    batch = image_of(1, 0, 1)
    monkeypatch.setattr(module, "log", lambda *args, **options: None)
    monkeypatch.setattr(module, "log_dict", lambda *args, **options: None)
    loss = module.training_step(batch, 0)
    image = batch["image"].float()
    smaller = F.interpolate(image, (20, 27), mode="bilinear", align_corners=True)
    expected = seam_losses(module.network(image), module.network(smaller), batch["classes"]).total()
    assert torch.allclose(loss, expected)


def test_groups_have_their_rates():
    module = make(lr=0.01)
    module._trainer = type("Trainer", (), {"estimated_stepping_batches": 10, "barebones": False})()
    optimizer = module.configure_optimizers()["optimizer"]
    assert [group["initial_lr"] for group in optimizer.param_groups] == pytest.approx([0.01, 0.1])
    assert {group["momentum"] for group in optimizer.param_groups} == {5e-4}
    heads = {id(p) for p in optimizer.param_groups[1]["params"]}
    network = module.network
    assert heads == {id(p) for part in (network.pixel_correlation, network.classifier) for p in part.parameters()}


def test_weights_of_a_fit_come_back(tmp_path):
    trained = make()
    trained.network.classifier.weight.data.fill_(3)
    save_weights(trained.export(), tmp_path / "w.safetensors")
    assert (make(weights=str(tmp_path / "w.safetensors")).network.classifier.weight == 3).all()


@pytest.mark.parametrize("scale", [0, 1, 1.5])
def test_a_second_view_that_is_not_smaller_is_refused(scale):
    with pytest.raises(ValueError, match="view_scale"):
        make(view_scale=scale)
