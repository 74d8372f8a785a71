from types import SimpleNamespace

import torch
from safetensors.torch import load_file
from torch import nn

from callbacks.weights_writer import WeightsWriter


def trainer(tmp_path, first=True):
    return SimpleNamespace(is_global_zero=first, default_root_dir=str(tmp_path / "run"), loggers=[])


def test_one_network_becomes_weights(tmp_path):
    network = nn.Linear(2, 1)
    WeightsWriter().on_fit_end(trainer(tmp_path), SimpleNamespace(export=lambda: network))
    written = load_file(tmp_path / "run" / "weights.safetensors")
    assert set(written) == {"weight", "bias"}  # no prefix
    assert torch.equal(written["weight"], network.weight)


def test_several_networks_by_name_into_a_folder_of_choice(tmp_path):
    teacher, student = nn.Linear(1, 1), nn.Linear(1, 1)
    module = SimpleNamespace(export=lambda: {"weights": teacher, "student": student})
    WeightsWriter(str(tmp_path / "there")).on_fit_end(trainer(tmp_path), module)
    assert torch.equal(load_file(tmp_path / "there" / "weights.safetensors")["weight"], teacher.weight)
    assert torch.equal(load_file(tmp_path / "there" / "student.safetensors")["weight"], student.weight)


def test_only_the_first_process_writes(tmp_path):
    WeightsWriter().on_fit_end(trainer(tmp_path, first=False), SimpleNamespace(export=lambda: nn.Linear(1, 1)))
    assert not (tmp_path / "run").exists()
