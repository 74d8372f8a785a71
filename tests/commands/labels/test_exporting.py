"""``mars labels export``: archives and folders, opened and compared pixel by pixel."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.labels import read_label, voc_palette, write_label
from mars_pl.commands.labels.command import main

LABELS = {"2007_000001": [[0, 1, 254], [255, 20, 0]], "2007_000002": [[254, 2]]}
ABOUT = {"refinement": "crf", "network": "teacher", "multi_scale": True}


@pytest.fixture
def source(tmp_path):
    (tmp_path / "labels").mkdir()
    for name, codes in LABELS.items():
        write_label(tmp_path / "labels" / f"{name}.png", np.array(codes))
    (tmp_path / "labels" / "about.json").write_text(json.dumps(ABOUT))
    return tmp_path / "labels"


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    for name, codes in LABELS.items():
        Image.new("RGB", (len(codes[0]), len(codes))).save(tmp_path / "images" / f"{name}.jpg")
    return tmp_path / "images"


@pytest.fixture
def send(source, tmp_path):
    def run(kind, *options, target="out"):
        assert main(["export", kind, str(source), str(tmp_path / target), *map(str, options)]) == 0
        return tmp_path / target

    return run


def recoded(codes, biased, ignored):
    return [[{254: biased, 255: ignored}.get(code, code) for code in row] for row in codes]


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        ([], "comp6_test_cls"),
        (["--split", "val", "--competition", "comp5"], "comp5_val_cls"),
        (["--biased", "0"], "comp6_test_cls"),
    ],
)
def test_the_archive_of_the_voc_server(send, options, folder):
    with tarfile.open(send("voc-server", *options, target="new/results.tar.gz"), "r:gz") as archive:
        names = [f"results/VOC2012/Segmentation/{folder}/{name}.png" for name in LABELS]
        assert archive.getnames() == names
        for name, codes in zip(names, LABELS.values(), strict=True):
            with Image.open(io.BytesIO(archive.extractfile(name).read())) as image:
                assert (image.format, image.mode) == ("PNG", "P") and tuple(image.getpalette()) == voc_palette()
                assert np.array(image).tolist() == recoded(codes, 0, 0)


def test_the_archive_is_the_same_whenever_it_is_written(send, monkeypatch):
    first = send("voc-server", target="a.tar.gz").read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert send("voc-server", target="b.tar.gz").read_bytes() == first


def test_the_archive_holds_the_images_of_the_list(send, tmp_path, images):
    (tmp_path / "test.txt").write_text("2007_000002\n")
    target = send("voc-server", "--list", tmp_path / "test.txt", "--images", images, target="a.tar.gz")
    with tarfile.open(target) as archive:
        assert [name.rsplit("/", 1)[-1] for name in archive.getnames()] == ["2007_000002.png"]


@pytest.mark.parametrize(("options", "biased"), [([], 255), (["--biased", "0"], 0), (["--biased", "255"], 255)])
@pytest.mark.parametrize(
    ("kind", "own", "folder"),
    [
        ("dhr", [], "VOC2012/MARS/train_aug"),
        ("dhr", ["--dataset", "X", "--method", "IRN", "--domain", "train"], "X/IRN/train"),
        ("mmseg", ["--split", "mars"], "SegmentationClass"),
        ("mmseg", ["--split", "mars", "--folder", "Mars"], "Mars"),
    ],
)
def test_the_folders_of_others(send, source, kind, own, folder, options, biased):
    target = send(kind, "--data", "voc", *own, *options)
    lists = ["ImageSets/Segmentation/mars.txt"] if kind == "mmseg" else []
    masks = [f"{folder}/{name}.png" for name in LABELS]
    assert files(target) == sorted([*lists, *masks, f"{folder}/about.json"])
    for name, codes in LABELS.items():
        with Image.open(target / folder / f"{name}.png") as image:
            assert (image.format, image.mode) == ("PNG", "P") and tuple(image.getpalette()) == voc_palette()
            assert np.array(image).tolist() == recoded(codes, biased, 255)
    if kind == "mmseg":
        assert (target / lists[0]).read_text() == "2007_000001\n2007_000002\n"
    about = json.loads((target / folder / "about.json").read_text())
    assert about == {**ABOUT, "note": f"labels of {source}, 254 as {biased}"}


def test_what_dhr_is_given_comes_back(send, tmp_path):
    send("dhr", "--classes", "20", target="WSS")
    assert main(["import", "dhr", str(tmp_path / "WSS"), str(tmp_path / "back"), "--data", "voc"]) == 0
    for name, codes in LABELS.items():
        assert read_label(tmp_path / "back" / f"{name}.png").tolist() == recoded(codes, 255, 255)


def test_a_folder_of_ones_own_names_its_classes_where_it_lies(send, tmp_path):
    (tmp_path / "classes.txt").write_text("".join(f"thing {index}\n" for index in range(1, 21)))
    words = ["--split", "mars", "--data", "folder", "--root", tmp_path]
    target = send("mmseg", *words)
    for name, codes in LABELS.items():
        assert read_label(target / "SegmentationClass" / f"{name}.png").tolist() == recoded(codes, 255, 255)
    (tmp_path / "classes.txt").write_text("thing 1\n")
    with pytest.raises(DataError, match="holds code 20, the data 0 to 1"):
        send("mmseg", *words)
    with pytest.raises(DataError, match=r"--data folder: its classes\.txt lies in .*--root"):
        send("mmseg", "--split", "mars", "--data", "folder")


def test_mmsegmentation_finds_the_images_by_a_link(send, images):
    options = ["--data", "voc", "--split", "mars", "--images", images]
    target = send("mmseg", *options)
    assert sorted(path.stem for path in (target / "JPEGImages").iterdir()) == list(LABELS)
    send("mmseg", *options)


def test_an_export_again_replaces_its_own_and_nothing_else(send, source, tmp_path):
    truth = tmp_path / "out" / "SegmentationClass"
    truth.mkdir(parents=True)
    write_label(truth / "2007_000001.png", np.array([[7]]))
    with pytest.raises(DataError, match="SegmentationClass: holds masks that mars did not write; name another folder"):
        send("mmseg", "--data", "voc", "--split", "mars")
    assert files(tmp_path / "out") == ["SegmentationClass/2007_000001.png"]
    assert read_label(truth / "2007_000001.png").tolist() == [[7]]
    send("mmseg", "--data", "voc", "--split", "mars", "--folder", "Mars")
    write_label(source / "2007_000002.png", np.array([[3, 3]]))
    target = send("mmseg", "--data", "voc", "--split", "mars", "--folder", "Mars")
    assert read_label(target / "Mars" / "2007_000002.png").tolist() == [[3, 3]]


def elsewhere(root):
    (root / "out" / "JPEGImages").mkdir(parents=True)


def other_list(root):
    (root / "out" / "ImageSets" / "Segmentation").mkdir(parents=True)
    (root / "out" / "ImageSets" / "Segmentation" / "mars.txt").write_text("2007_000009\n")


def other_size(root):
    write_label(root / "labels" / "2007_000001.png", np.zeros((3, 3)))


def listed(root):
    (root / "list.txt").write_text("2007_000001\n2007_000003\n2007_000004\n")


def three_classes(root):
    write_label(root / "labels" / "2007_000002.png", np.array([[21, 0]]))


MMSEG = ["mmseg", "--data", "voc", "--split", "mars"]


@pytest.mark.parametrize(
    ("spoil", "words", "complaint"),
    [
        (None, ["voc-server", "--biased", "255"], "--biased 255: the server scores every pixel"),
        (
            other_size,
            ["voc-server", "--images", "{images}"],
            r"labels/2007_000001\.png: 3×3 pixels, its image",
        ),
        (listed, ["voc-server", "--list", "{list}"], r"2007_000003\.png: no such file \(2 of 3 are missing, this is"),
        (three_classes, ["voc-server"], r"2007_000002\.png: holds code 21, the data 0 to 20, 254 and 255"),
        (None, ["dhr", "--classes", "1"], r"000001\.png: holds code 20, .* \(2 of 2 files are at fault"),
        (other_list, MMSEG, r"mars\.txt: is there and lists other images; choose another --split"),
        (elsewhere, [*MMSEG, "--images", "{images}"], "JPEGImages: is there and holds other images"),
        (None, [*MMSEG, "--images", "{list}"], "no such folder; name that of the images"),
        (None, [*MMSEG, "--folder", "../labels"], "is source and target at once"),
    ],
)
def test_a_fault_is_one_line_that_names_file_and_remedy(send, tmp_path, images, spoil, words, complaint):
    if spoil:
        spoil(tmp_path)
    places = {"images": images, "list": tmp_path / "list.txt"}
    with pytest.raises(DataError, match=complaint) as caught:
        send(*[word.format(**places) for word in words])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").is_file()


def test_a_broken_archive_bears_no_finished_archives_name(send, source, tmp_path):
    send("voc-server", target="a.tar.gz")
    before = (tmp_path / "a.tar.gz").read_bytes()
    (source / "2007_000002.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"2007_000002\.png: cannot be read"):
        send("voc-server", target="a.tar.gz")
    assert (tmp_path / "a.tar.gz").read_bytes() == before


def test_a_folder_is_no_archive_which_is_told_before_a_label_is_read(send, source, tmp_path):
    (tmp_path / "out").mkdir()
    (source / "2007_000001.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="out: is a folder; name a file"):
        send("voc-server")
    assert files(tmp_path / "out") == []


@pytest.mark.parametrize("words", [["dhr"], ["mmseg", "--split", "mars"]])
def test_labels_of_sixteen_bits_are_not_for_those_who_read_eight(send, tmp_path, words):
    with pytest.raises(DataError, match="reads labels of 8 bits, 301 classes want 16; merge some first"):
        send(*words, "--classes", "300")
    assert not (tmp_path / "out").exists()
