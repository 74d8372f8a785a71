from functools import partial

import pytest
import torch

from mars_pl.training.weights import save_weights
from mars_pl.wsss.irn.irn_module import IRNModule
from mars_pl.wsss.irn.loss import displacement_loss, label_pairs
from mars_pl.wsss.irn.network import IRNetwork
from mars_pl.wsss.irn.path_affinity import path_affinity
from mars_pl.wsss.propagation.affinity_loss import affinity_loss


def make(displacement=True, **options) -> IRNModule:
    torch.manual_seed(0)
    network = partial(IRNetwork, backbone="test_resnet", displacement=displacement)
    return IRNModule(network, num_classes=4, **{"radius": 3, "walk_radius": 3, "steps": 16, "crop_size": 64, **options})


def batch(size=64):
    """Two crops of a bright object on a dark ground, the border between them unsure."""
    image = torch.full((2, 3, size, size), 40, dtype=torch.uint8)
    label = torch.zeros(2, size, size, dtype=torch.long)
    image[..., : size // 2] = 200
    label[..., : size // 2] = 2
    label[..., size // 2 - 2 : size // 2 + 2] = 255
    return {"id": ["a", "b"], "image": image, "label": label}


@pytest.fixture
def logged(monkeypatch):
    values = {}
    monkeypatch.setattr(IRNModule, "log", lambda self, name, value, **options: values.update({name: value.item()}))
    return values


def test_the_loss_is_that_of_affinities_and_displacements_on_the_middles_of_cells(logged):
    module = make()
    edge, displacement = module.network(batch()["image"])
    pairs = label_pairs(batch()["label"][:, 2::4, 2::4], 3, 4)
    relation = affinity_loss(path_affinity(edge.sigmoid(), 3), pairs)
    field = displacement_loss(displacement, 3, pairs)
    assert torch.allclose(module.training_step(batch(), 0), relation + field)
    assert logged == pytest.approx({"train/affinity": relation.item(), "train/displacement": field.item()})


def test_mixed_precision_keeps_the_loss_finite(logged):
    module = make()
    with torch.no_grad():
        module.network.fc_edge6.bias.fill_(-30.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert module.training_step(batch(), 0).isfinite()


@pytest.mark.parametrize("displacement", [True, False])
def test_a_few_steps_draw_the_boundary(logged, displacement):
    module = make(displacement, lr=0.02, optimizer="adamw", displacement_factor=1)
    module._trainer = type("Trainer", (), {"estimated_stepping_batches": 40, "barebones": False})()
    optimizer = module.configure_optimizers()["optimizer"]
    first = None
    for _ in range(40):
        loss = module.training_step(batch(), 0)
        first = loss.item() if first is None else first
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < first / 2
    edge = module.network.edge(batch()["image"]).sigmoid()[0, 8]
    assert edge[7:9].max() > 0.5 > edge[[0, 1, 2, 3, 12, 13, 14, 15]].max()


def test_the_displacement_branch_learns_faster_and_the_backbone_not_at_all():
    module = make(lr=0.1)
    module._trainer = type("Trainer", (), {"estimated_stepping_batches": 10, "barebones": False})()
    optimizer = module.configure_optimizers()["optimizer"]
    assert [group["initial_lr"] for group in optimizer.param_groups] == [pytest.approx(0.1), pytest.approx(1.0)]
    assert [group["momentum"] for group in optimizer.param_groups] == [1e-4, 1e-4]
    optimised = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    names = {name for name, parameter in module.network.named_parameters() if id(parameter) in optimised}
    assert names == {name for name, _ in module.network.named_parameters() if not name.startswith("backbone")}


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_a_prediction_holds_the_classes_of_the_scores_at_the_size_of_the_image(scale):
    module = make(scale=scale).eval()
    image = torch.randint(0, 256, (1, 3, 50, 70), dtype=torch.uint8)
    scores = torch.rand(1, 2, 50, 70)
    with torch.no_grad():
        sample = {"id": ["a"], "image": image, "scores": scores, "class_ids": torch.tensor([[2, 3]])}
        out = module.predict_step(sample, 0)
    assert out["id"] == "a" and out["class_ids"].tolist() == [2, 3]
    assert out["scores"].shape == (2, 50, 70) and out["scores"].dtype == torch.float32
    assert out["scores"].min() >= 0 and out["scores"].max() == pytest.approx(1, abs=0.05)


def test_boundaries_are_those_of_the_image_padded_to_the_crop_or_bare():
    image = torch.randint(0, 256, (1, 3, 40, 44), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    sample = {"id": ["a"], "image": image, "class_ids": torch.tensor([[2]]), "scores": torch.rand(1, 1, 40, 44)}

    def walked(**options):
        with torch.no_grad():
            return make(**options).eval().predict_step(sample, 0)["scores"]

    padded, bare = walked(), walked(pad_to_crop=False)
    assert not torch.allclose(padded, bare, atol=1e-3)
    assert torch.equal(walked(crop_size=32), bare), "a crop that is smaller than the image leaves it as it is"
    assert torch.equal(walked(crop_size=None, pad_to_crop=False), bare)


def test_data_without_a_crop_size_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"pad_to_crop: the training set has no crop_size") as error:
        make(crop_size=None)
    assert "\n" not in str(error.value)


def test_an_image_without_classes_is_predicted():
    module = make(scale=1.5).eval()
    sample = {"id": ["a"], "image": torch.zeros(1, 3, 40, 44, dtype=torch.uint8)}
    sample |= {"scores": torch.zeros(1, 0, 40, 44), "class_ids": torch.zeros(1, 0, dtype=torch.long)}
    out = module.predict_step(sample, 0)
    assert out["scores"].shape == (0, 40, 44) and out["class_ids"].shape == (0,)


def test_weights_of_a_fit_are_loaded(tmp_path):
    fitted = make()
    with torch.no_grad():
        fitted.network.fc_edge6.bias.fill_(7.0)
    save_weights(fitted.export(), tmp_path / "weights.safetensors")
    assert make(weights=str(tmp_path / "weights.safetensors")).network.fc_edge6.bias.item() == 7.0
