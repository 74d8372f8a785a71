"""What VOC's server would refuse, found before it is sent."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from datamodules.files.labels import label_image, write_label
from mars_pl.commands.check.command import main
from mars_pl.commands.labels.command import main as labels

IDS = [f"2008_{number:06d}" for number in range(3)]
FOLDER = "results/VOC2012/Segmentation/comp6_test_cls"


@pytest.fixture
def house(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for image_id in IDS:
        Image.new("RGB", (6, 4)).save(tmp_path / "images" / f"{image_id}.jpg")
        write_label(tmp_path / "labels" / f"{image_id}.png", np.full((4, 6), 20))
    (tmp_path / "test.txt").write_text("".join(f"{image_id}\n" for image_id in IDS))
    return tmp_path


def png(codes, mode="P"):
    buffer = io.BytesIO()
    image = label_image(np.array(codes)) if mode == "P" else Image.new(mode, np.array(codes).shape[::-1])
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def pack(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def faults(house, *words):
    code = main(["archive", str(house / "a.tar.gz"), *words, "--json", str(house / "f")])
    found = json.loads((house / "f").read_text())
    assert code == int(bool(found["faults"]))
    return {entry["kind"]: entry["names"] for entry in found["faults"]}


def whole(house):
    return ["--list", str(house / "test.txt"), "--images", str(house / "images")]


def test_what_the_export_writes_is_taken(house):
    words = ["--list", str(house / "test.txt"), "--images", str(house / "images")]
    assert labels(["export", "voc-server", str(house / "labels"), str(house / "a.tar.gz"), *words]) == 0
    assert faults(house, *whole(house)) == {}


def test_the_number_of_vocs_images_is_known(house, capsys):
    pack(house / "a.tar.gz", [(f"{FOLDER}/{image_id}.png", png(np.zeros((4, 6)))) for image_id in IDS])
    assert faults(house) == {"number of images": ["test"]}
    assert "3 masks, VOC's test has 1,456; export with its --list" in capsys.readouterr().out


def test_every_fault_is_found_at_once(house):
    good = np.zeros((4, 6))
    pack(
        house / "a.tar.gz",
        [
            (f"{FOLDER}/{IDS[0]}.png", png(np.full((4, 6), 255))),
            (f"{FOLDER}/{IDS[1]}.png", png(np.full((6, 4), 21))),
            (f"{FOLDER}/2009_000001.png", png(good, "RGB")),
            (f"{FOLDER.replace('comp6', 'comp5')}/2009_000002.png", png(good)),
            ("results/readme.txt", b"hello"),
        ],
    )
    assert faults(house, *whole(house)) == {
        "entry": ["results/readme.txt"],
        "folder": [f"{FOLDER.replace('comp6', 'comp5')} and {FOLDER}"],
        "missing mask": [IDS[2]],
        "image off the list": ["2009_000001", "2009_000002"],
        "codes": [f"{IDS[0]}.png", f"{IDS[1]}.png"],
        "size": [f"{IDS[1]}.png"],
        "missing image": ["2009_000001.jpg", "2009_000002.jpg"],
        "unreadable mask": ["2009_000001.png"],
    }


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "no such archive"),
        (b"", "no whole tar archive"),
        (b"no archive", "no whole tar archive"),
        ("half", "no whole tar archive"),
    ],
)
def test_what_is_no_archive_is_one_fault(house, capsys, content, complaint):
    if content == "half":
        rng = np.random.default_rng(0)
        pack(house / "a.tar.gz", [(f"{FOLDER}/{name}.png", png(rng.integers(0, 21, (40, 60)))) for name in IDS])
        content = (house / "a.tar.gz").read_bytes()[:-900]
    if content is not None:
        (house / "a.tar.gz").write_bytes(content)
    assert set(faults(house)) == {"archive"}
    assert complaint in capsys.readouterr().out
