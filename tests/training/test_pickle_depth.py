import io
import pickle
import zipfile

import pytest
import torch

from mars_pl.cli.checkpoints import WholeCheckpoints
from mars_pl.training.pickle_depth import DEEPEST, check_depth
from mars_pl.training.weights import load_weights

STATE = torch.nn.Linear(3, 2).state_dict()


def saved(path, content, zipped=True):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def deepened(path, depth):
    """Add one more entry to a saved dict, whose key is a tuple in a tuple in a tuple…; Python cannot pickle such."""
    with zipfile.ZipFile(saved(path, STATE)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            more = content[:-1] + b")" + pickle.TUPLE1 * depth + b"Ns." if name.endswith("data.pkl") else content
            archive.writestr(name, more)
    return path


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saves_passes(tmp_path, zipped):
    many = {f"layer{index}.weight": torch.zeros(1) for index in range(3000)}
    optimiser = torch.optim.Adam(torch.nn.Linear(3, 2).parameters()).state_dict()
    deep = {"a": [{"b": [{"c": ((1, (2, (3,))), {4})}]}]}
    for content in (STATE, many, {"state_dict": STATE, "optimizer_states": [optimiser], "deep": deep}):
        check_depth(saved(tmp_path / "a.pth", content, zipped))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_dict_filled_one_by_one_is_not_deep(tmp_path, zipped):
    class OneByOne(pickle._Pickler):
        def _batch_setitems(self, items, *rest):
            for key, value in items:
                self.save(key)
                self.save(value)
                self.write(pickle.SETITEM)

    file = io.BytesIO()
    OneByOne(file, 2).dump({index: [index] for index in range(200)})
    (tmp_path / "a.pkl").write_bytes(file.getvalue())
    check_depth(tmp_path / "a.pkl")


@pytest.mark.parametrize("depth", [DEEPEST + 1, 5_000, 300_000])
def test_a_key_too_deep_to_be_hashed_is_refused_before_it_is_made(tmp_path, depth):
    path = deepened(tmp_path / "a.pth", depth)
    with pytest.raises(ValueError, match=rf"a\.pth: no state dict of tensors \(it is nested more than {DEEPEST} deep"):
        load_weights(torch.nn.Linear(3, 2), path)
    with pytest.raises(ValueError, match=r"a\.pth: cannot be read as a checkpoint .*nested more than"):
        WholeCheckpoints().load_checkpoint(path)


def test_depth_hidden_in_references_to_what_was_made_is_seen(tmp_path):
    step = b"h\x00" + pickle.TUPLE1 + b"q\x00" + b"0"  # get the last tuple, wrap it, put it in its place, drop it
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02)q\x000" + step * (DEEPEST + 1) + b"h\x00.")
    with pytest.raises(pickle.UnpicklingError, match="nested more than"):
        check_depth(tmp_path / "a.pkl")


@pytest.mark.parametrize("key", [(1, 2), 5, None, b"weight"])
def test_a_name_that_is_no_text_is_told(tmp_path, key):
    with pytest.raises(ValueError, match=r"a\.pth: a tensor's name is of type \w+, not text; save a state dict"):
        load_weights(torch.nn.Linear(3, 2), saved(tmp_path / "a.pth", {**STATE, key: torch.zeros(1)}))


def test_a_name_of_any_length_makes_no_long_line(tmp_path):
    with pytest.raises(ValueError, match="1 too many") as caught:
        load_weights(torch.nn.Linear(3, 2), saved(tmp_path / "a.pth", {**STATE, "a" * 100_000: torch.zeros(1)}))
    assert len(str(caught.value)) < 1000
