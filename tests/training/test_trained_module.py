import pytest
import torch
from torch import nn

from mars_pl.training.trained_module import TrainedModule
from mars_pl.training.weights import save_weights


class Module(TrainedModule):
    def parameter_groups(self):
        return [{"params": [self.network.weight]}, {"params": [self.network.bias], "lr": self.lr * self.head_factor}]


def make(**options):
    defaults = {"lr": 0.1, "optimizer": "sgd", "head_factor": 10.0, "momentum": 0.5, "weight_decay": 0.01}
    return Module(nn.Linear(2, 2), **{**defaults, **options})


def optimiser(module, steps=10):
    module._trainer = type("Trainer", (), {"estimated_stepping_batches": steps, "barebones": False})()
    return module.configure_optimizers()


def test_groups_have_their_rates_and_all_share_the_rest():
    groups = optimiser(make())["optimizer"].param_groups
    assert [group["lr"] for group in groups] == pytest.approx([0.1, 1.0])
    assert {group["momentum"] for group in groups} == {0.5} and {group["weight_decay"] for group in groups} == {0.01}


def test_rates_decay_over_the_steps_of_the_whole_fit():
    for every, expected in ((1, 0.1 * (1 - 3 / 4) ** 0.9), (2, 0.1 * (1 - 2 / 4) ** 0.9)):
        found = optimiser(make(lr_every=every), steps=4)
        assert found["lr_scheduler"]["interval"] == "step"
        for _ in range(3):
            found["optimizer"].step()
            found["lr_scheduler"]["scheduler"].step()
        assert found["optimizer"].param_groups[0]["lr"] == pytest.approx(expected)


def test_weights_of_a_finished_fit_come_back(tmp_path):
    fitted = make()
    save_weights(fitted.export(), tmp_path / "weights.safetensors")
    again = make(weights=str(tmp_path / "weights.safetensors"))
    assert torch.equal(again.network.weight, fitted.network.weight)
    with pytest.raises(ValueError, match="no such weights"):
        make(weights=str(tmp_path / "nowhere.safetensors"))


def test_values_of_a_batch_are_logged_for_its_images(monkeypatch):
    module, seen = make(), []
    monkeypatch.setattr(module, "log", lambda **options: seen.append(options))
    module.log_training({"id": ["a", "b", "c"]}, prog_bar=True, loss=torch.tensor(2.0), share=torch.tensor(0.5))
    assert [(call["name"], call["value"].item(), call["batch_size"], call["prog_bar"]) for call in seen] == [
        ("train/loss", 2.0, 3, True),
        ("train/share", 0.5, 3, True),
    ]
