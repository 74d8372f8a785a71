"""A fit and a predict on five crops through the data module."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from datamodules.datasets.crop_pairs import FiveCropPairs
from datamodules.errors import DataError
from tests.datamodules.small_data import data
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def root(tmp_path):
    make_voc_tree(tmp_path / "voc", 12, pseudo="Pseudo")
    return tmp_path / "voc"


def test_five_crops_are_predicted_then_fitted(root, tmp_path):
    module = data(root, training_set=FiveCropPairs(16), batch_size=6, limit=4)
    module.setup("predict")
    batches = list(module.predict_dataloader())
    ids = [name for batch in batches for name in batch["id"]]
    assert ids == [f"{image_id}@{k}" for image_id in module.tree.ids("train_aug")[:4] for k in range(5)]
    assert [len(batch["image"]) for batch in batches] == [6, 6, 6, 2]
    neighbours = torch.stack([(torch.arange(9) + row) % 20 for row in range(20)])
    save_file({"neighbours": neighbours}, tmp_path / "n.safetensors", {"ids": json.dumps(ids)})
    module.training_set = FiveCropPairs(16, str(tmp_path / "n.safetensors"))
    module.setup("fit")
    batch = next(iter(module.train_dataloader()))
    assert batch["image"].shape == batch["positive_image"].shape == (6, 3, 16, 16)
    module.reader.limit = 3
    with pytest.raises(DataError, match="other crops"):
        module.setup("fit")


def test_the_seed_of_the_data_is_that_of_its_training_set(root):
    def fit(seed):
        module = data(root, seed=seed)
        module.setup("fit")
        return [module._fit[0, index]["image"] for index in range(4)]

    one, again, other = fit(1), fit(1), fit(2)
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_tokens_are_read_in_workers(root, tmp_path):
    save_file({"neighbours": torch.stack([torch.arange(45), torch.arange(45).roll(1)], 1)}, tmp_path / "n.safetensors")
    np.save(tmp_path / "t.npy", np.arange(45, dtype=np.float16).reshape(45, 1, 1, 1))
    files = {"neighbours": str(tmp_path / "n.safetensors"), "tokens": str(tmp_path / "t.npy")}
    module = data(root, training_set=FiveCropPairs(**files), workers=1)
    module.setup("fit")
    for batch in module.train_dataloader():
        assert torch.equal((batch["tokens"] - batch["positive_tokens"]) % 45, torch.ones_like(batch["tokens"]))
