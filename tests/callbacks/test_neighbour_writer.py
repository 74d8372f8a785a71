from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from safetensors import safe_open
from torch.utils.data import DataLoader, Dataset

from callbacks.neighbour_writer import NeighbourWriter
from datamodules.errors import DataError
from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.stego.neighbours import nearest_neighbours
from mars_pl.uss.stego.token_module import TokenModule
from tests.fakes import predict_job as job
from tests.pipeline.tiny_run import REPOSITORY
from tests.processes.job_environment import environment_of_job


class Crops(Dataset):
    def __init__(self, count=7):
        self.images = torch.randint(
            0, 256, (count, 3, 32, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
        )

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return {"id": f"{index // 5}@{index % 5}", "image": self.images[index]}


def predict(folder, devices=1, batch_size=1, workers=0, **writer):
    torch.set_num_threads(1)  # last bits of tokens depend on their number
    torch.manual_seed(0)
    module = TokenModule(FrozenViT("test_vit"))
    trainer = pl.Trainer(
        accelerator="cpu", devices=devices, strategy="ddp" if devices > 1 else "auto", logger=False,
        callbacks=[NeighbourWriter(output=str(folder), **writer)], enable_progress_bar=False,
        use_distributed_sampler=devices > 1,
    )  # fmt: skip
    loader = DataLoader(Crops(), batch_size=batch_size, num_workers=workers)
    trainer.predict(module, loader, return_predictions=False)
    return module


def read(folder):
    with safe_open(folder / "neighbours.safetensors", framework="pt") as file:
        return file.get_tensor("neighbours"), json.loads(file.metadata()["ids"])


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 0), (3, 0), (2, 2)])
def test_rows_follow_the_data(tmp_path, batch_size, workers):
    module = predict(tmp_path / "out", batch_size=batch_size, workers=workers, k=4, tokens=True)
    whole = module.predict_step({"id": list("abcdefg"), "image": Crops().images}, 0)
    neighbours, ids = read(tmp_path / "out")
    assert ids == ["0@0", "0@1", "0@2", "0@3", "0@4", "1@0", "1@1"]
    assert torch.equal(neighbours, nearest_neighbours(whole["pooled"], 4))
    tokens = np.load(tmp_path / "out" / "tokens.npy", mmap_mode="r")
    assert tokens.dtype == np.float16 and tokens.shape == (7, 64, 2, 3)
    np.testing.assert_allclose(tokens, whole["tokens"].numpy(), rtol=2e-3, atol=2e-3)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["neighbours.safetensors", "tokens.npy"]


def test_tokens_are_written_only_when_asked_for(tmp_path):
    predict(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["neighbours.safetensors"]


def crops(*tokens):
    """Crops a, b, … with their tokens (1, D, h, w), one a batch."""
    return [
        ({"id": [name], "tokens": one, "pooled": one.mean((-2, -1))}, {"id": [name]})
        for name, one in zip("abcdef", tokens, strict=False)
    ]


TOKENS = torch.tensor([[0.1, 1.0], [0.7, 0.2], [0.3, 0.9], [1.0, 0.3]]).view(4, 1, 2, 1, 1)


def test_two_processes_fill_one_file(tmp_path):
    job.predict([NeighbourWriter(tokens=True) for _ in range(2)], tmp_path, crops(*TOKENS))
    assert read(tmp_path)[1] == ["a", "b", "c", "d"]
    assert np.array_equal(np.load(tmp_path / "tokens.npy"), TOKENS[:, 0].half().numpy())


def test_a_job_that_was_broken_off_goes_on_with_the_crops_that_are_left(tmp_path):
    job.predict(NeighbourWriter(tokens=True), tmp_path / "whole", crops(*TOKENS))
    data = job.Data()
    job.predict(NeighbourWriter(tokens=True), tmp_path / "broken", crops(*TOKENS), data, killed_after=3)
    assert not (tmp_path / "broken/tokens.npy").exists()  # only what is whole has its name
    job.predict(NeighbourWriter(tokens=True, resume=True), tmp_path / "broken", crops(*TOKENS), data)
    assert data.left_out == {"a", "b", "c"}
    assert job.files(tmp_path / "broken") == job.files(tmp_path / "whole")


def test_without_the_tokens_of_the_crops_that_are_done_it_starts_afresh(tmp_path):
    data = job.Data()
    job.predict(NeighbourWriter(), tmp_path, crops(*TOKENS), data, killed_after=3)
    job.predict(NeighbourWriter(tokens=True, resume=True), tmp_path, crops(*TOKENS), data)
    assert data.left_out == set()
    assert np.array_equal(np.load(tmp_path / "tokens.npy"), TOKENS[:, 0].half().numpy())


def test_a_crop_that_was_not_predicted_is_reported(tmp_path):
    data = job.Data()
    data.left_out = {"b", "d"}
    with pytest.raises(DataError, match="2 of 4 crops"):
        job.predict(NeighbourWriter(), tmp_path, crops(*TOKENS), data)
    assert not (tmp_path / "neighbours.safetensors").exists()


def test_crops_of_two_sizes_are_reported(tmp_path):
    with pytest.raises(DataError, match=r"tokens\.npy.*one size"):
        job.predict(NeighbourWriter(tokens=True), tmp_path, crops(torch.ones(1, 2, 1, 1), torch.ones(1, 2, 1, 2)))


@pytest.mark.slow
def test_two_processes_write_what_one_does(tmp_path):
    predict(tmp_path / "one", tokens=True)
    code = "from tests.callbacks.test_neighbour_writer import predict; import sys; predict(sys.argv[1], 2, tokens=True)"
    script = tmp_path / "job.py"
    script.write_text(code)
    words = [sys.executable, script, tmp_path / "two"]
    subprocess.run(words, check=True, env=environment_of_job(), cwd=REPOSITORY, timeout=180)
    for name in ("neighbours.safetensors", "tokens.npy"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
