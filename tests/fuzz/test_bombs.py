"""Small files that claim gigabytes, or are nested without end: each is refused in one line, within a second."""

import gzip
import io
import json
import struct
import tarfile
import time
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from datamodules.files.image_labels import read_image_labels
from datamodules.files.labels import read_label
from datamodules.files.scores import inspect_scores, read_scores
from datamodules.files.tree import read_image
from datamodules.foreign.caffemodel import read_caffemodel
from datamodules.prepare.folder_tables import read_rows
from datamodules.prepare.sbd import read_sbd_mask
from datamodules.prepare.voc import unpack
from datamodules.unpickle.json_text import read_json_text
from mars_pl.cli.checkpoints import WholeCheckpoints
from mars_pl.debias.debias_module import read_centroids
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.training.weights import read_weights

NAMES = ("background", "cat", "dog")


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, *chunks):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


def npz(shape):
    """Return scores of a shape whose numbers are not there, as a head alone claims them."""
    heads, buffer = {"scores": io.BytesIO(), "class_ids": io.BytesIO()}, io.BytesIO()
    np.lib.format.write_array_header_1_0(heads["scores"], {"descr": "<f2", "fortran_order": False, "shape": shape})
    np.save(heads["class_ids"], np.array([1]))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, head in heads.items():
            archive.writestr(f"{name}.npy", head.getvalue())
    return buffer.getvalue()


def packed_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", bytes(2**26))
    return buffer.getvalue()


def safetensors(head, content=b""):
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(head)) + head + content


def tar(*entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return buffer.getvalue()


def link(kind):
    entry = tarfile.TarInfo("V/a.txt")
    entry.type, entry.linkname = kind, "V/b.txt"
    return entry


def long_name():
    """Return a packed archive whose first entry's name has a gigabyte."""
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 2**30
    return gzip.compress(entry.tobuf(tarfile.GNU_FORMAT) + bytes(2**16))


def mat(content):
    buffer = io.BytesIO()
    savemat(buffer, {"GTcls": content}, do_compression=True)
    return buffer.getvalue()


def aliases(depth):
    """Return settings that name ten times what names ten times what…"""
    rows = [f"a{row}: &a{row} [{', '.join([f'*a{row - 1}'] * 10)}]" for row in range(1, depth)]
    return "\n".join(["a0: &a0 [1]", *rows]).encode()


TENSOR = {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}
TEXT_BOMB = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26)))
BOMBS = {
    "picture": ("a.png", png(13_000, 13_000), read_image),
    "huge picture": ("a.png", png(100_000, 100_000), read_image),
    "label": ("a.png", png(13_000, 13_000), read_label),
    "text in a picture": ("a.png", png(9, 9, TEXT_BOMB), read_image),
    "text in a label": ("a.png", png(9, 9, TEXT_BOMB), read_label),
    "program for Ghostscript": ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", read_image),
    "scores": ("a.npz", npz((3, 2**15, 2**15)), read_scores),
    "scores without their numbers": ("a.npz", npz((3, 5, 5)), read_scores),
    "scores of overflowing sides": ("a.npz", npz((2**40, 2**40, 5)), read_scores),
    "fit's checkpoint": ("a.ckpt", packed_zip(), WholeCheckpoints().load_checkpoint),
    "weights": ("a.pth", packed_zip(), read_weights),
    "head of safetensors": ("a.safetensors", struct.pack("<Q", 2**62), read_weights),
    "deep head": ("a.safetensors", safetensors(b"[" * 10_000), read_weights),
    "overlap": ("a.safetensors", safetensors({"a": TENSOR, "b": TENSOR}, bytes(24)), read_weights),
    "beyond the end": ("a.safetensors", safetensors({"a": TENSOR}, bytes(8)), read_weights),
    "unknown numbers": ("a.safetensors", safetensors({"a": TENSOR | {"dtype": "Q9"}}, bytes(24)), read_weights),
    "centroids in a row": (
        "a.safetensors",
        safetensors({"centroids": TENSOR | {"shape": [6]}}, bytes(24)),
        lambda path: read_centroids(path, 6),
    ),
    "centroids of four bits": (
        "a.safetensors",
        safetensors({"centroids": {"dtype": "F4", "shape": [3, 2], "data_offsets": [0, 3]}}, bytes(3)),
        lambda path: read_centroids(path, 3),
    ),
    "JSON": ("labels.json", b"[" * 100_000, lambda path: read_rows(path, NAMES)),
    "image labels": (
        "image_labels.json",
        b'{"a":' * 100_000,
        lambda path: read_image_labels(path.parent, ["a"], NAMES),
    ),
    "CSV": ("labels.csv", b"image,classes\na," + b"x" * 200_000, lambda path: read_rows(path, NAMES)),
    "YAML": ("a.yaml", b"[" * 100_000, read_settings),
    "aliases": ("a.yaml", aliases(30), read_settings),
    "alias of itself": ("a.yaml", b"a: &a [*a]\n", read_settings),
    "13th month": ("a.yaml", b"a: 2020-13-01\n", read_settings),
    "symbolic link": ("a.tar", tar(link(tarfile.SYMTYPE)), lambda path: unpack(path, "V", path.parent)),
    "hard link": ("a.tar", tar(link(tarfile.LNKTYPE)), lambda path: unpack(path, "V", path.parent)),
    "long name": ("a.tar", long_name(), lambda path: unpack(path, "V", path.parent)),
    "mask": ("a.mat", mat({"Segmentation": np.zeros((2**13, 2**14), np.uint8)}), read_sbd_mask),
    "mask of text": ("a.mat", mat({"Segmentation": "no mask"}), read_sbd_mask),
    "name without end": ("a.caffemodel", b"\xa2\x06\x07\x08\xff\xff\xff\xff\xff\x7f", read_caffemodel),
    "number without end": ("a.caffemodel", b"\xff" * 1_000_000, read_caffemodel),
}  # fmt: skip


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_is_refused(tmp_path, what):
    name, content, read = BOMBS[what]
    (tmp_path / name).write_bytes(content)
    assert len(content) < 2**20
    start = time.perf_counter()
    with pytest.raises(ValueError, match=name) as caught:
        read(tmp_path / name)
    assert time.perf_counter() - start < 5
    assert "\n" not in str(caught.value)


ENTITIES = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
XML = {
    "encoding that there is not": b"<?xml version='1.0' encoding='klingon'?><annotation/>",
    "encoding of several bytes": b"<?xml version='1.0' encoding='shift_jis'?><annotation/>",
    "entities": (
        f'<!DOCTYPE a [<!ENTITY e0 "{"a" * 100}">{ENTITIES}]>'
        "<annotation><object><name>&e11;</name></object></annotation>"
    ).encode(),
}  # fmt: skip


@pytest.mark.parametrize("what", XML)
def test_xml_is_refused(tmp_path, what):
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations" / "a.xml").write_bytes(XML[what])
    with pytest.raises(ValueError, match=r"a\.xml: not an XML annotation") as caught:
        read_image_labels(tmp_path, ["a"], NAMES, "xml")
    assert "\n" not in str(caught.value)


def test_the_head_of_scores_is_read_without_them(tmp_path):
    (tmp_path / "a.npz").write_bytes(npz((3, 5, 5)))
    assert inspect_scores(tmp_path / "a.npz")[1] == (3, 5, 5)


def test_an_image_below_the_bound_is_read(tmp_path):
    Image.new("L", (3000, 3000)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").shape == (3, 3000, 3000)


@pytest.mark.parametrize("packed", [True, False])
def test_the_mask_of_sbd_is_the_one_that_scipy_reads(tmp_path, packed):
    from scipy.io import loadmat
    from scipy.sparse import csc_matrix

    mask = np.random.default_rng(0).integers(0, 21, (37, 51), dtype=np.uint8)
    edges = np.empty((20, 1), dtype=object)
    for index in range(20):
        edges[index, 0] = csc_matrix(mask == index)
    content = {"Boundaries": edges, "Segmentation": mask, "CategoriesPresent": np.arange(20.0)[:, None]}
    savemat(tmp_path / "a.mat", {"note": "first", "GTcls": content}, do_compression=packed)
    assert np.array_equal(loadmat(tmp_path / "a.mat")["GTcls"]["Segmentation"][0, 0], mask)
    assert np.array_equal(read_sbd_mask(tmp_path / "a.mat"), mask)


def test_json_as_deep_as_its_bound_is_read():
    assert read_json_text("[" * 64 + "]" * 64)
    with pytest.raises(ValueError, match="nested more than 64 deep"):
        read_json_text("[" * 65 + "]" * 65)
