from functools import partial

import pytest
import torch

from mars_pl.wsss.cam.classification_module import ClassificationModule
from mars_pl.wsss.cam.classifier import CAMClassifier


def test_prediction_holds_the_images_classes_only():
    network = partial(CAMClassifier, backbone="test_resnet")
    module = ClassificationModule(network, num_classes=5, scales=[1.0, 0.5]).eval()
    image = torch.randint(0, 256, (1, 3, 50, 70), dtype=torch.uint8)
    with torch.no_grad():
        out = module.predict_step({"id": ["a"], "image": image, "classes": torch.tensor([[0.0, 1.0, 0.0, 1.0]])}, 0)
    assert out["id"] == "a"
    assert out["class_ids"].tolist() == [2, 4]
    assert out["scores"].shape == (2, 50, 70)
    assert out["scores"].min() >= 0 and out["scores"].max() <= 1


def test_the_classifier_learns_faster_and_frozen_parameters_are_left_out():
    maker = partial(CAMClassifier, backbone="test_resnet", frozen=["conv1"])
    module = ClassificationModule(maker, num_classes=3, lr=0.1, head_factor=10)
    network = module.network
    module._trainer = type("Trainer", (), {"estimated_stepping_batches": 10, "barebones": False})()
    optimizer = module.configure_optimizers()["optimizer"]
    assert [group["initial_lr"] for group in optimizer.param_groups] == [pytest.approx(0.1), pytest.approx(1.0)]
    optimised = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert id(network.backbone.conv1[0].weight) not in optimised
    assert id(network.classifier.weight) in optimised
