import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mars_pl.training.weights import load_weights, save_weights


def test_round_trip_without_prefix(tmp_path):
    torch.manual_seed(0)
    ours, theirs = nn.Linear(2, 3), nn.Linear(2, 3)
    save_weights(ours, tmp_path / "w.safetensors")
    load_weights(theirs, tmp_path / "w.safetensors")
    assert torch.equal(ours.weight, theirs.weight) and torch.equal(ours.bias, theirs.bias)
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_half_precision_is_cast(tmp_path):
    save_file({"weight": torch.ones(1, 1).half(), "bias": torch.zeros(1).half()}, tmp_path / "h.safetensors")
    module = nn.Linear(1, 1)
    load_weights(module, tmp_path / "h.safetensors")
    assert module.weight.dtype == torch.float32 and module.weight.item() == 1


def test_weights_are_found_in_the_folder_of_the_environment(tmp_path, monkeypatch):
    save_weights(nn.Linear(1, 1), tmp_path / "x.safetensors")
    monkeypatch.setenv("MARS_WEIGHTS", str(tmp_path))
    load_weights(nn.Linear(1, 1), "x.safetensors")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"weight": torch.zeros(1, 1)}, "1 keys missing"),
        ({"weight": torch.zeros(1, 1), "bias": torch.zeros(1), "more": torch.zeros(1)}, "1 too many"),
        ({"weight": torch.zeros(2, 2), "bias": torch.zeros(1)}, r"weight has shape \(2, 2\)"),
    ],
)
def test_other_weights_are_refused_in_one_line(tmp_path, state, words):
    save_file(state, tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match=words) as error:
        load_weights(nn.Linear(1, 1), tmp_path / "x.safetensors")
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        load_weights(nn.Linear(1, 1), tmp_path / "nowhere.safetensors")


def test_counters_of_batch_norms_may_be_absent(tmp_path):
    donor = nn.BatchNorm2d(2)
    donor.running_mean.fill_(5)
    state = {key: value for key, value in donor.state_dict().items() if key != "num_batches_tracked"}
    save_file(state, tmp_path / "x.safetensors")
    module = nn.BatchNorm2d(2)
    load_weights(module, tmp_path / "x.safetensors")
    assert module.running_mean.tolist() == [5, 5]
    del state["running_var"]
    save_file(state, tmp_path / "y.safetensors")
    with pytest.raises(ValueError, match=r"1 keys missing .*running_var"):
        load_weights(module, tmp_path / "y.safetensors")


def test_a_part_of_a_network_is_taken_by_its_name(tmp_path):
    whole = nn.ModuleDict({"backbone": nn.Linear(1, 2), "backbone2": nn.Linear(3, 3)})
    save_weights(whole, tmp_path / "w.safetensors")
    module = nn.Linear(1, 2)
    load_weights(module, tmp_path / "w.safetensors", part="backbone")
    assert torch.equal(module.weight, whole["backbone"].weight)
    with pytest.raises(ValueError, match="2 keys missing"):
        load_weights(module, tmp_path / "w.safetensors", part="head")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_saved_by_torch_is_taken(tmp_path, zipped):
    donor, receiver = nn.Linear(2, 3), torch.nn.Linear(2, 3)
    torch.save(donor.state_dict(), tmp_path / "donor.pth", _use_new_zipfile_serialization=zipped)
    load_weights(receiver, tmp_path / "donor.pth")
    assert torch.equal(receiver.weight, donor.weight)


def test_what_is_no_state_dict_is_refused_in_one_line(tmp_path):
    network = nn.Linear(2, 3)
    (tmp_path / "text.pth").write_text("not a checkpoint")
    save_weights(network, tmp_path / "ending.safetensors")
    (tmp_path / "ending.safetensors").rename(tmp_path / "ending.pth")
    torch.save({"epoch": 3, "state_dict": network.state_dict()}, tmp_path / "checkpoint.pth")
    torch.save(network, tmp_path / "module.pth")  # a pickle that runs code when it is read
    for name, reason in (
        ("text", "no state dict"),
        ("ending", r"told by its ending \.safetensors"),
        ("checkpoint", "more than a state dict"),
        ("module", "no state dict"),
    ):
        with pytest.raises(ValueError, match=rf"{name}\.pth: .*{reason}") as caught:
            load_weights(network, tmp_path / f"{name}.pth")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_neither_written_nor_read(tmp_path, value):
    layer = nn.Linear(2, 1)
    save_weights(layer, tmp_path / "good.safetensors")
    with torch.no_grad():
        layer.weight[0, 1] = value
    with pytest.raises(ValueError, match=r"bad\.safetensors: weight holds 1 of 2 values that are not finite; fit"):
        save_weights(layer, tmp_path / "bad.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["good.safetensors"]
    save_file(layer.state_dict(), tmp_path / "bad.safetensors")
    with pytest.raises(ValueError, match=r"bad\.safetensors: weight holds 1 of 2 values"):
        load_weights(nn.Linear(2, 1), tmp_path / "bad.safetensors")


def test_weights_have_the_mode_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    save_weights(nn.Linear(1, 1), tmp_path / "weights.safetensors")
    assert (tmp_path / "weights.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode
