"""Readers of what one stage leaves for another, of folders of shards, and of pictures with captions."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from datamodules.files.features import read_features, write_features
from datamodules.files.image_labels.captions import CAPTION, FILE, TABLE, read_captions
from datamodules.files.shards.index import INDEX, read_index, table_of, write_table
from datamodules.files.shards.shard_file import members_in, read_entries, write_shard
from datamodules.files.shards.store import Store
from mars_pl.debias.debias_module import read_centroids
from mars_pl.debias.kinds.kinds_file import WHOLE, read_kinds
from mars_pl.debias.probe.probe_module import read_probe
from tests.fuzz.reader import Reader

CENTROIDS, SIDES = (3, 4), {"targets": (3, 2, 4), "biased": (3, 2, 4), "background": (5, 4)}


def _captions() -> bytes:
    return f"{FILE}\t{CAPTION}\na.jpg\ta photo of a cat.\nb.jpg\tthe sea\n".encode()


def _read_captions(path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (path.parent / name).write_bytes(b"")
    read_captions(path.parent)


def _features() -> bytes:
    path = Path(tempfile.mkdtemp(), "a.npy")
    write_features(path, np.ones((4, 2, 3), np.float32))
    return path.read_bytes()


def _kinds() -> bytes:
    tensors = {"centroids": torch.rand(CENTROIDS), WHOLE: torch.tensor([0, 1, 0])}
    return save(tensors | {name: torch.rand(shape) for name, shape in SIDES.items()})


def _read_kinds(path: Path) -> None:
    read_kinds(path, read_centroids(path, CENTROIDS[0]))


def _probe() -> bytes:
    return save({"weight": torch.rand(4), "bias": torch.rand(1)})


def _shard() -> bytes:
    folder = Path(tempfile.mkdtemp())
    for name, content in {"a.png": b"label", "b.png": b"another"}.items():
        (folder / name).write_bytes(content)
    write_shard(folder / "0.tar", list(members_in(sorted(folder.glob("*.png")))))
    return (folder / "0.tar").read_bytes()


def _index() -> bytes:
    folder = Path(tempfile.mkdtemp())
    (folder / "0.tar").write_bytes(_shard())
    write_table(folder / INDEX, table_of(read_entries(Store(str(folder)), "0.tar")))
    return (folder / INDEX).read_bytes()


def _read_index(path: Path) -> None:
    index = read_index(Store(str(path.parent)))
    for image_id, _ in index.names():
        index.find(image_id)
    list(index.entries())


STAGE_READERS = {
    "captions.tsv": Reader(TABLE, _captions, _read_captions),
    "stored features": Reader("a.npy", _features, read_features),
    "centroids of two kinds": Reader("c.safetensors", _kinds, _read_kinds),
    "probe": Reader("probe.safetensors", _probe, read_probe),
    "shard": Reader("0.tar", _shard, lambda path: list(read_entries(Store(str(path.parent)), path.name))),
    "index of shards": Reader(INDEX, _index, _read_index),
}
