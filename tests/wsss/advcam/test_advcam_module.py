import pytest
import torch

from mars_pl.training.weights import save_weights
from mars_pl.wsss.advcam.advcam_module import AdvCAMModule
from mars_pl.wsss.cam.classifier import CAMClassifier
from tests.fakes.quiet_trainer import quiet_trainer

IMAGE = torch.randint(0, 256, (1, 3, 40, 56), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def classifier(seed: int = 0) -> CAMClassifier:
    torch.manual_seed(seed)
    return CAMClassifier(5, "test_resnet", frozen=["conv1"])


def make(**options) -> AdvCAMModule:
    return AdvCAMModule(lambda num_classes: classifier(), 5, **{"scales": [0.5, 1.0], "iterations": 3} | options).eval()


def batch(*classes: float) -> dict[str, object]:
    return {"id": ["a"], "image": IMAGE, "classes": torch.tensor([classes])}


def predict(module, *classes):
    with torch.no_grad():  # as Lightning does outside of inference mode
        return module.predict_step(batch(*classes), 0)


def test_prediction_holds_the_images_classes_only():
    out = predict(make(), 0.0, 1.0, 0.0, 1.0)
    assert out["id"] == "a"
    assert out["class_ids"].tolist() == [2, 4]
    assert out["scores"].shape == (2, 40, 56) and out["scores"].dtype == torch.float32
    assert out["scores"].min() >= 0 and 0.9 < out["scores"].max() <= 1
    assert not out["scores"].requires_grad


def test_an_image_without_classes_has_no_scores():
    out = predict(make(), 0.0, 0.0, 0.0, 0.0)
    assert out["class_ids"].shape == (0,) and out["scores"].shape == (0, 40, 56)


def test_climbing_moves_the_scores_and_repeats_them():
    climbed = predict(make(), 0.0, 1.0, 0.0, 0.0)["scores"]
    assert torch.equal(predict(make(), 0.0, 1.0, 0.0, 0.0)["scores"], climbed)
    assert not torch.allclose(predict(make(iterations=1), 0.0, 1.0, 0.0, 0.0)["scores"], climbed, atol=1e-3)


def test_nothing_is_learnt():
    module = make()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    predict(module, 1.0, 1.0, 0.0, 0.0)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not any(p.requires_grad or p.grad is not None for p in module.parameters())


def test_images_climb_in_float32_whatever_the_precision():
    expected = predict(make(), 1.0, 0.0, 0.0, 0.0)["scores"]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(predict(make(), 1.0, 0.0, 0.0, 0.0)["scores"], expected)


def test_the_weights_of_the_fit_are_taken(tmp_path):
    save_weights(classifier(seed=1), tmp_path / "weights.safetensors")
    donor = AdvCAMModule(lambda num_classes: classifier(seed=1), 5, scales=[1.0], iterations=2).eval()
    module = make(scales=[1.0], iterations=2, weights=str(tmp_path / "weights.safetensors"))
    assert torch.equal(predict(module, 1.0, 0.0, 0.0, 0.0)["scores"], predict(donor, 1.0, 0.0, 0.0, 0.0)["scores"])
    with pytest.raises(ValueError, match="no such weights"):
        make(weights=str(tmp_path / "nowhere.safetensors"))


def test_lightning_predicts_without_inference_mode():
    loader = torch.utils.data.DataLoader([batch(0.0, 1.0, 0.0, 0.0)], batch_size=None)
    (out,) = quiet_trainer(inference_mode=False).predict(make(), loader)
    assert torch.equal(out["scores"], predict(make(), 0.0, 1.0, 0.0, 0.0)["scores"])


def test_inference_mode_is_refused_by_the_name_of_the_option():
    loader = torch.utils.data.DataLoader([batch(0.0, 1.0, 0.0, 0.0)], batch_size=None)
    with pytest.raises(ValueError, match=r"trainer\.inference_mode: .* false") as error:
        quiet_trainer(inference_mode=True).predict(make(), loader)
    assert "\n" not in str(error.value)


def test_senseless_options_are_refused_at_once():
    with pytest.raises(ValueError, match="iterations"):
        make(iterations=0)
