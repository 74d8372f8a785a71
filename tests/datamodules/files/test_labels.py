import hashlib
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.checks import inspect_mask
from datamodules.datasets.transforms import TrainingCrop
from datamodules.errors import DataError
from datamodules.files.drawing import shown
from datamodules.files.image_size import check_size
from datamodules.files.labels import as_label, codes_in, label_codes, read_label, voc_palette, write_label
from datamodules.segmentation_data import SegmentationData

MANY = 301
"""Classes, background counted, that want 16 bits."""

CODES = [[0, 1, 254, 255], [256, 300, 65534, 65535]]


def names(count):
    return ["background", *(f"class {index}" for index in range(1, count))]


@pytest.mark.parametrize(
    ("num_classes", "codes"),
    [(2, (254, 255, 8)), (254, (254, 255, 8)), (255, (65534, 65535, 16)), (301, (65534, 65535, 16))],
)
def test_more_than_253_foreground_classes_take_16_bits(num_classes, codes):
    assert tuple(label_codes(num_classes)) == codes
    label = as_label(np.array([[0, codes[0], codes[1]]]), num_classes)
    assert label.tolist() == [[0, codes[0], codes[1]]] and codes_in(label) == codes


def test_sixteen_bits_are_written_and_read_as_they_are(tmp_path):
    write_label(tmp_path / "a.png", as_label(np.array(CODES), MANY))
    with Image.open(tmp_path / "a.png") as image:
        assert (image.format, image.mode, image.size) == ("PNG", "I;16", (4, 2))
    for wanted in (MANY, None):
        label = read_label(tmp_path / "a.png", wanted)
        assert label.dtype == np.uint16 and label.tolist() == CODES


def test_eight_bits_stay_the_bytes_they_were(tmp_path):
    write_label(tmp_path / "a.png", np.arange(256).reshape(16, 16))
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P" and tuple(image.getpalette()) == voc_palette()
        pixels = image.tobytes()
    assert hashlib.sha256(pixels).hexdigest() == hashlib.sha256(bytes(range(256))).hexdigest()
    assert read_label(tmp_path / "a.png").dtype == np.uint8


@pytest.mark.parametrize(
    ("written", "data", "complaint"),
    [(MANY, 21, "an 8-bit .* has 16 bits; save it with 8"), (21, MANY, "a 16-bit .* has 8 bits; save it with 16")],
)
def test_labels_of_other_bits_than_the_datas_are_refused(tmp_path, written, data, complaint):
    write_label(tmp_path / "a.png", as_label(np.zeros((2, 2), np.int64), written))
    with pytest.raises(DataError, match=complaint):
        read_label(tmp_path / "a.png", data)
    assert [fault.kind for fault in inspect_mask(tmp_path / "a.png", data)] == ["unreadable mask"]


def write_png(path, bits, colour_type, rows):
    """Write rows of packed pixels; Pillow writes no grey of 2 or 4 bits."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    width = len(rows[0]) * 8 // bits
    header = struct.pack(">IIBBBBB", width, len(rows), bits, colour_type, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(voc_palette()[: 3 << bits])) if colour_type == INDEXED else b""
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = (chunk(b"IHDR", header), palette, chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


GREY, INDEXED = 0, 3
FEW_BITS = {1: (b"\x60", [0, 1, 1, 0, 0, 0, 0, 0]), 2: (b"\x1b", [0, 1, 2, 3]), 4: (b"\x1e", [1, 14])}
"""Bits → a packed row and its numbers."""


@pytest.mark.parametrize(("bits", "becomes"), [(1, 255), (2, 85), (4, 17)])
def test_grey_of_few_bits_is_refused_and_indexed_of_few_bits_read(tmp_path, bits, becomes):
    row, numbers = FEW_BITS[bits]
    write_png(tmp_path / "a.png", bits, INDEXED, [row, row])
    assert read_label(tmp_path / "a.png", 21).tolist() == [numbers, numbers]
    write_png(tmp_path / "a.png", bits, GREY, [row, row])
    complaint = rf"a\.png: grey of {bits} bits?, which is read with {becomes} for 1; save it with 8 bits, or indexed"
    for wanted in (21, None):
        with pytest.raises(DataError, match=complaint):
            read_label(tmp_path / "a.png", wanted)


def test_a_label_of_more_pixels_than_are_read_is_named(tmp_path, monkeypatch):
    write_label(tmp_path / "a.png", np.zeros((5, 5)))
    monkeypatch.setattr("datamodules.files.image_file.LARGEST", 10)
    with pytest.raises(DataError, match=r"a\.png: has more than 10 pixels; cut it into smaller pictures"):
        read_label(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: has more than 10 pixels"):
        check_size(tmp_path / "b.png", (5, 5), tmp_path / "a.png")


def test_codes_beyond_many_classes_are_faults_and_the_two_marks_are_not(tmp_path):
    write_label(tmp_path / "a.png", as_label(np.array(CODES), MANY))
    assert list(inspect_mask(tmp_path / "a.png", MANY)) == []
    (fault,) = inspect_mask(tmp_path / "a.png", MANY - 1)
    assert "holds code 300, the data 0 to 299, 65534 and 65535" in fault.text
    (fault,) = inspect_mask(tmp_path / "a.png", MANY, biased=False)
    assert "holds code 65534, the data 0 to 300 and 65535" in fault.text
    (fault,) = inspect_mask(tmp_path / "a.png", MANY, biased=False, ignored=False)
    assert "holds code 65534, the data 0 to 300;" in fault.text


def test_the_codes_flow_from_the_data():
    few, many = (SegmentationData(".", names(count)) for count in (254, MANY))
    assert (few.biased_index, few.ignore_index) == (254, 255)
    assert (many.biased_index, many.ignore_index) == (65534, 65535)
    label = torch.zeros(4, 4, dtype=torch.int64)
    for data in (few, many):
        _, cut, valid = TrainingCrop(6, flip=False)(torch.zeros(3, 4, 4, dtype=torch.uint8), label, data.ignore_index)
        assert (cut[~valid] == data.ignore_index).all() and (cut[valid] == 0).all()
    with pytest.raises(DataError, match="65535 classes, labels hold 65534"):
        SegmentationData(".", names(65535))


def test_what_is_drawn_keeps_background_and_marks_and_lets_colours_go_round():
    assert shown(np.array(CODES, np.uint16)).tolist() == [[0, 1, 1, 2], [3, 47, 254, 255]]
    assert shown(np.array([[0, 1, 253]], np.uint16)).tolist() == [[0, 1, 253]]
    eight = np.arange(256, dtype=np.uint8)[None]
    assert shown(eight) is eight


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "TIFF"])
def test_another_format_under_the_name_of_a_png_is_refused(tmp_path, kind):
    Image.fromarray(np.ones((8, 8), np.uint8)).save(tmp_path / "a.png", format=kind)
    with pytest.raises(DataError, match=rf"a\.png: holds {kind}, not PNG, whatever it is called; save it as PNG"):
        read_label(tmp_path / "a.png")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "1"])
def test_colours_are_no_class_indices(tmp_path, mode):
    Image.fromarray(np.ones((8, 8), np.uint8)).convert(mode).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"save class indices, not colours|save it with 8 bits"):
        read_label(tmp_path / "a.png", 21)
