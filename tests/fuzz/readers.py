"""Every reader of files from elsewhere, with a valid small file of its own."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save
from scipy.io import savemat

from datamodules.checks import image_size_of
from datamodules.datasets.crop_pairs import _open_tokens, _read_neighbours
from datamodules.datasets.image_files import read_upright
from datamodules.faults import Fault, refuse
from datamodules.files.about import read_about
from datamodules.files.class_names import folder_class_names
from datamodules.files.image_labels import ImageLabels, from_cls_labels, read_image_labels, write_table
from datamodules.files.image_list import read_ids
from datamodules.files.labels import label_image, read_label
from datamodules.files.scores import inspect_scores, read_scores, write_scores
from datamodules.files.tree import Tree, read_image
from datamodules.foreign.caffemodel import read_caffemodel
from datamodules.foreign.mxnet_params import read_mxnet_params
from datamodules.foreign.scores import read_irn, read_rsepm, read_seam_cam, seam_content
from datamodules.prepare.coco_instances import read_instances
from datamodules.prepare.folder_tables import read_rows
from datamodules.prepare.sbd import read_sbd_mask
from datamodules.prepare.voc import unpack
from datamodules.unpickle.restricted_checkpoint import read_checkpoint
from mars_pl.cli.checkpoints import WholeCheckpoints
from mars_pl.commands.check.archive import inspect
from mars_pl.debias.debias_module import read_centroids
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.training.weights import load_weights
from tests.fuzz.import_readers import IMPORT_READERS
from tests.fuzz.reader import Reader
from tests.fuzz.run_readers import RUN_READERS
from tests.fuzz.stage_readers import STAGE_READERS

NAMES = ("background", "cat", "dog")
IDS = ["a", "b"]
RANDOM = np.random.default_rng(0)


def _saved(save_to: Callable[[Any], Any]) -> bytes:
    buffer = io.BytesIO()
    save_to(buffer)
    return buffer.getvalue()


def _picture(kind: str) -> bytes:
    image = Image.fromarray(RANDOM.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    return _saved(lambda buffer: image.save(buffer, kind))


def _label() -> bytes:
    return _saved(lambda buffer: label_image(RANDOM.integers(0, 3, (12, 16), dtype=np.uint8)).save(buffer, "PNG"))


def _scores() -> bytes:
    path = Path(_folder(), "a.npz")
    write_scores(path, np.array([1, 2]), RANDOM.random((2, 4, 5), np.float32))
    return path.read_bytes()


def _folder() -> str:
    import tempfile

    return tempfile.mkdtemp()


def _text(content: Any) -> Callable[[], bytes]:
    return lambda: (content if isinstance(content, str) else json.dumps(content)).encode()


def _npy(content: Any) -> Callable[[], bytes]:
    return lambda: _saved(lambda buffer: np.save(buffer, content, allow_pickle=True))


def _tensors(zipped: bool) -> bytes:
    state = {"state_dict": {"weight": torch.rand(2, 3), "bias": torch.rand(2)}, "epoch": 3, "names": ("a", 1.5)}
    return _saved(lambda buffer: torch.save(state, buffer, _use_new_zipfile_serialization=zipped))


def _state() -> bytes:
    return _saved(lambda buffer: torch.save(torch.nn.Linear(3, 2).state_dict(), buffer))


def _tar(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _mat(packed: bool) -> bytes:
    mask = RANDOM.integers(0, 20, (4, 5), dtype=np.uint8)
    content = {"GTcls": {"Boundaries": np.zeros(3), "Segmentation": mask, "CategoriesPresent": [1, 2]}}
    return _saved(lambda buffer: savemat(buffer, content, do_compression=packed))


def _mxnet() -> bytes:
    array = struct.pack("<IiIqqiii", 0xF993FAC9, 0, 2, 1, 2, 1, 0, 0) + struct.pack("<2f", 1, 2)
    return struct.pack("<QQQ", 0x112, 0, 1) + array + struct.pack("<QQ", 1, 5) + b"arg:a"


def _caffe() -> bytes:
    shape = b"\x0a\x02\x01\x02"
    blob = b"\x3a" + bytes([len(shape)]) + shape + b"\x2a\x08" + struct.pack("<2f", 1, 2)
    layer = b"\x0a\x04conv\x3a" + bytes([len(blob)]) + blob
    return b"\xa2\x06" + bytes([len(layer)]) + layer


def _table(path: Path) -> None:
    refuse(read_rows(path, NAMES)[1])


def _image_check(path: Path) -> None:
    found = image_size_of(path, True)
    refuse([found] if isinstance(found, Fault) else [])


def _archive(path: Path) -> None:
    """Look over an archive, which has faults in any case: of a mask they name the mask."""
    faults = inspect(Namespace(path=path, list=None, images=None)).faults
    refuse([fault for fault in faults if path.name not in fault.text and ".png" not in fault.text])


XML = (
    "<?xml version='1.0' encoding='utf-8'?>"
    "<annotation><object><name>cat</name></object><object><name>dog</name></object></annotation>"
)
TABLE = "image,cat,dog\na.jpg,1,0\nb.jpg,0,1\n"
WORDS_TABLE = "image,classes\na.jpg,cat;dog\nb.jpg,dog\n"
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 5}],
    "annotations": [{"image_id": 1, "category_id": 3, "iscrowd": 0, "area": 2.0, "segmentation": [[0, 0, 2, 2, 0, 2]]}],
}
YAML = "model:\n  class_path: a.B\n  init_args: &x\n    lr: 1e-3\n    steps: [1, 2, 3]\ndata: *x\nwhen: 2020-01-01\n"
IRN = {"keys": torch.tensor([0, 1]), "cam": torch.rand(2, 2, 3), "high_res": np.ones((2, 4, 6), np.float32)}
SEAM = {0: np.ones((4, 6), np.float32), 1: np.zeros((4, 6), np.float32)}
RSEPM = {"keys": np.array([0, 1, 2]), "seed": np.ones((2, 4, 6), np.float32)}
CLS_LABELS = {"a": np.array([0, 1], np.float32), "b": np.array([1, 0], np.float32)}


def _label_table() -> bytes:
    path = Path(_folder(), "a.parquet")
    labels = ImageLabels(np.array([1, 2, 1], np.uint8), np.array([0, 1, 3]), len(NAMES) - 1)
    write_table(path, IDS, labels, NAMES)
    return path.read_bytes()


def _linear(path: Path) -> None:
    load_weights(torch.nn.Linear(3, 2), path)


def _both_scores(path: Path) -> None:
    inspect_scores(path)
    read_scores(path)


def _xml(path: Path) -> None:
    read_image_labels(path.parents[1], ["a"], NAMES, "xml")


READERS = {
    "label PNG": Reader("a.png", _label, lambda path: read_label(path, 3)),
    "image JPEG": Reader("a.jpg", lambda: _picture("JPEG"), read_image),
    "image PNG": Reader("a.png", lambda: _picture("PNG"), read_upright),
    "image WEBP": Reader("a.webp", lambda: _picture("WEBP"), read_image),
    "image TIFF": Reader("a.tif", lambda: _picture("TIFF"), read_image),
    "image check": Reader("a.jpg", lambda: _picture("JPEG"), _image_check),
    "cls_labels.npy": Reader("cls_labels.npy", _npy(CLS_LABELS), lambda path: from_cls_labels(path, IDS, 2)),
    "CSV of columns": Reader("labels.csv", _text(TABLE), _table),
    "CSV of names": Reader("labels.csv", _text(WORDS_TABLE), _table),
    "JSON table": Reader("labels.json", _text({"a.jpg": ["cat"], "b.jpg": []}), _table),
    "image_labels.json": Reader(
        "image_labels.json", _text({"a": ["cat"], "b": []}), lambda path: read_image_labels(path.parent, IDS, NAMES)
    ),
    "image_labels.parquet": Reader(
        "image_labels.parquet", _label_table, lambda path: read_image_labels(path.parent, IDS, NAMES)
    ),
    "images.json": Reader("images.json", _text({"a": "x/a.jpg"}), lambda path: Tree(path.parent).image("a")),
    "about.json": Reader("about.json", _text({"refinement": "crf"}), lambda path: read_about(path.parent)),
    "COCO JSON": Reader("instances.json", _text(COCO), read_instances),
    "list": Reader("train.txt", _text("a\nb\n/JPEGImages/c.jpg /x/c.png\n"), read_ids),
    "classes.txt": Reader("classes.txt", _text("cat\ndog\n"), lambda path: folder_class_names(path.parent)),
    "XML": Reader("Annotations/a.xml", _text(XML), _xml),
    "scores npz": Reader("a.npz", _scores, _both_scores),
    "IRN scores": Reader("a.npy", _npy(IRN), lambda path: read_irn(path, 3)),
    "SEAM scores": Reader("a.npy", _npy(SEAM), lambda path: (seam_content(path), read_seam_cam(path, 3))),
    "RS+EPM scores": Reader("a.pkl", lambda: pickle.dumps(RSEPM), lambda path: read_rsepm(path, 3)),
    "neighbours": Reader(
        "a.safetensors",
        lambda: save({"neighbours": torch.tensor([[0, 1], [1, 0]])}, {"ids": '["a", "b"]'}),
        lambda path: _read_neighbours(path, IDS),
    ),
    "tokens": Reader("t.npy", _npy(np.zeros((2, 3, 2, 2), np.float16)), lambda path: _open_tokens(path, 2)),
    "centroids": Reader(
        "c.safetensors", lambda: save({"centroids": torch.rand(3, 4)}), lambda path: read_centroids(path, 3)
    ),
    "weights": Reader("w.safetensors", lambda: save(torch.nn.Linear(3, 2).state_dict()), _linear),
    "weights .pth": Reader("w.pth", _state, _linear),
    "checkpoint": Reader("a.ckpt", lambda: _tensors(True), read_checkpoint),
    "checkpoint of old": Reader("a.ckpt", lambda: _tensors(False), read_checkpoint),
    "fit's checkpoint": Reader("last.ckpt", lambda: _tensors(True), WholeCheckpoints().load_checkpoint),
    "MXNet": Reader("a.params", _mxnet, read_mxnet_params),
    "Caffe": Reader("a.caffemodel", _caffe, read_caffemodel),
    "YAML": Reader("a.yaml", _text(YAML), lambda path: read_settings(path, "model", "init_args")),
    "VOC tar": Reader(
        "a.tar", lambda: _tar("VOC/a.txt", b"hello"), lambda path: unpack(path, "VOC", path.parent / "out")
    ),
    "server archive": Reader(
        "a.tar.gz", lambda: _tar("results/VOC2012/Segmentation/comp6_val_cls/a.png", _label()), _archive
    ),
    "SBD mat": Reader("a.mat", lambda: _mat(False), read_sbd_mask),
    "SBD mat packed": Reader("a.mat", lambda: _mat(True), read_sbd_mask),
    **IMPORT_READERS,
    **RUN_READERS,
    **STAGE_READERS,
}
