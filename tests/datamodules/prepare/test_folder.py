import os
from pathlib import Path

import pytest
from PIL import Image

from datamodules.datasets.random_crops import RandomCrops
from datamodules.errors import DataError
from datamodules.files.class_names import folder_class_names
from datamodules.files.image_labels import read_image_labels
from datamodules.files.tree import Tree
from datamodules.folder import Folder
from datamodules.prepare import folder
from datamodules.prepare.folder import prepare_folder, read_folder
from tests.fakes.fake_folder import CLASSES, make_own_folder


@pytest.fixture
def root(tmp_path):
    make_own_folder(tmp_path / "own")
    return tmp_path / "own"


def data(root, **options):
    module = Folder(
        str(root), fit_split="train", predict_split="train", truth_folder="masks", workers=0, batch_size=2, **options
    )
    module.prepare_data()
    return module


def test_every_image_is_read_with_its_labels(root):
    module = data(root, training_set=RandomCrops(32, (32, 48)))
    for stage in ("fit", "validate", "predict"):
        module.setup(stage)
    assert module.class_names == ("background", *CLASSES) and module.num_classes == 4
    samples = {batch["id"][0]: batch for batch in module.predict_dataloader()}
    assert sorted(samples) == ["a", "b", "c", "d", "e", "f"]
    assert {name: samples[name]["classes"][0].tolist() for name in "abc"} == {
        "a": [1, 0, 0],
        "b": [0, 1, 0],
        "c": [1, 0, 1],
    }
    assert samples["c"]["truth"].unique().tolist() == [0, 1, 3]
    assert [batch["id"][0] for batch in module.val_dataloader()] == ["g", "h"]


def test_without_lists_everything_trains_and_nothing_is_validated(tmp_path):
    ids = make_own_folder(tmp_path, masks=False, val=False)
    module = data(tmp_path)
    assert sorted(module.tree.ids("train")) == sorted(ids)
    module.setup("fit")
    assert module.val_dataloader() == []
    with pytest.raises(DataError, match=r"val\.txt: no such list"):
        module.setup("validate")


def test_a_list_of_ones_own_is_taken(root):
    (root / "train.txt").write_text("images/shelf/c.jpeg\na\n")
    assert data(root).tree.ids("train") == ["c", "a"]


def test_a_new_image_is_seen_and_nothing_else_is_written(root, monkeypatch):
    prepare_folder(root)
    written = [root / "images.json", root / "image_labels.json", root / "ImageSets/Segmentation/val.txt"]
    for path in written:
        os.utime(path, (1, 1))
    with monkeypatch.context() as finished:
        finished.setattr(folder, "preparing", None)  # a disk that cannot be written to
        prepare_folder(root)
    assert all(path.stat().st_mtime == 1 for path in written)
    Image.new("RGB", (50, 50)).save(root / "images" / "new.jpg")
    with (root / "labels.csv").open("a") as file:
        file.write("new.jpg,\n")
    assert "new" in data(root).tree.ids("train")
    assert written[2].stat().st_mtime == 1


def test_a_list_that_was_taken_away_is_gone(root):
    prepare_folder(root)
    (root / "val.txt").unlink()
    tree = data(root).tree
    assert tree.splits() == ["train"] and len(tree.ids("train")) == 8


def test_all_that_is_wrong_is_listed(root):
    Image.new("RGB", (9, 9)).save(root / "images" / "shelf" / "a.png")
    Image.new("RGB", (9, 9)).save(root / "images" / "my photo.jpg")
    Image.new("RGB", (9, 9)).save(root / "images" / "two\nlines.jpg")
    (root / "images" / "film.heic").touch()
    (root / "val.txt").write_text("g\nz\n")
    (root / "test.txt").write_text("h\nh\n")
    (root / "classes.txt").write_text("_background_\ncup\nteddy bear\nlamp\n")
    _, faults = read_folder(root)
    assert [(fault.kind, fault.name) for fault in faults] == [
        ("no class", "_background_"),
        ("name twice", "images/shelf/a.png"),
        ("name with a line break", "'images/two\\nlines.jpg'"),
        ("image that is not read", "images/film.heic"),
        ("list", "test.txt"),
        ("listed without image", "z"),
        ("image without row", "my photo"),
    ]
    with pytest.raises(DataError, match=r"classes\.txt: “_background_” is no class"):
        prepare_folder(root)
    assert not (root / "images.json").exists()


def test_names_as_telephones_windows_and_macs_write_them(tmp_path):
    root = tmp_path / "own"
    (root / "images" / "shelf").mkdir(parents=True)
    names = ["WhatsApp Image 2024-01.jpg", "IMG (1).JPG", "shelf/p.png.jpg", "scan.tif", "web.webp", "x -1.bmp"]
    for name in names:
        Image.new("RGB", (40, 40)).save(root / "images" / name)
    for hidden in ("._scan.tif", "shelf/._p.jpg", ".thumbs.jpg"):
        (root / "images" / hidden).write_bytes(b"\0\5\26\7")
    (root / "classes.txt").write_text("cup\n", encoding="utf-16")
    rows = "".join(f"{name},cup\n".replace("/", "\\") for name in names)
    (root / "labels.csv").write_text(f"image,classes\n{rows}", encoding="utf-8-sig")
    (root / "val.txt").write_text("shelf\\p.png.jpg\nx -1.bmp\n", encoding="utf-16")
    prepare_folder(root)
    tree = Tree(root)
    assert tree.ids("val") == ["p", "x -1"], "what we wrote is read again"
    assert tree.ids("train") == ["IMG (1)", "WhatsApp Image 2024-01", "scan", "web"]
    assert all(tree.image(image_id).is_file() for split in ("train", "val") for image_id in tree.ids(split))
    module = data(root, training_set=RandomCrops(32, (32, 48)))
    module.setup("predict")
    assert all(batch["classes"].tolist() == [[1]] for batch in module.predict_dataloader())


def test_a_name_that_is_not_utf_8_is_a_fault(root):
    os.close(os.open(os.fsencode(root / "images") + b"/Gr\xf6\xdfe.jpg", os.O_CREAT))
    _, faults = read_folder(root)
    assert [fault.kind for fault in faults] == ["name that is not UTF-8"]
    assert faults[0].text.encode().endswith(b"its name is not UTF-8; rename it")


def test_faults_of_a_kind_are_counted(root):
    (root / "labels.csv").write_text("image,classes\na.jpg,cup\n")
    with pytest.raises(DataError, match=r"labels\.csv: no row for images/shelf/g\.jpg; .* \(6 more like it\)$"):
        prepare_folder(root)


def test_a_folder_without_images_is_named(root):
    (root / "images").rename(root / "pictures")
    with pytest.raises(DataError, match=r"images: no images \(\.jpg, .*\); put them there"):
        prepare_folder(root)


def test_what_a_disk_refuses_is_one_line(root, monkeypatch):
    opened = Path.open

    def full(path, mode="r", **options):
        if path.name.endswith(".part"):
            raise OSError(28, "No space left on device", str(path))
        return opened(path, mode, **options)

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(DataError, match=r"images\.json: No space left on device; .* needs space"):
        prepare_folder(root)
    assert not (root / "images.json").exists()


def test_links_are_followed_once_and_those_to_nothing_are_named(root, tmp_path):
    images = root / "images"
    (tmp_path / "more").mkdir()
    (images / "a.jpg").rename(tmp_path / "more" / "a.jpg")
    (images / "linked").symlink_to(tmp_path / "more")
    (images / "again").symlink_to(".")
    (images / "shelf" / "up").symlink_to("..")
    folder, faults = read_folder(root)
    assert len(folder.images) == 8 and folder.images["a"] == "images/linked/a.jpg" and faults == []
    (images / "gone.jpg").symlink_to("/nowhere/gone.jpg")
    (images / "round.png").symlink_to("round.png")
    os.mkfifo(images / "pipe.jpg")
    _, faults = read_folder(root)
    assert {fault.name for fault in faults if fault.kind == "image that is no file"} == {
        "gone.jpg", "round.png", "pipe.jpg",
    }  # fmt: skip
    assert "gone.jpg: is a link to nothing; mend the link" in faults[0].text


def test_a_sub_folder_that_cannot_be_opened_is_not_passed_over(root, monkeypatch):
    scandir = os.scandir

    def refused(place):
        if Path(place).name == "shelf":
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(PermissionError, match="shelf"):
        read_folder(root)


def test_a_list_that_leaves_nothing_to_train_on_is_told(root):
    (root / "val.txt").write_text("\n".join("abcdefgh"))
    _, (fault,) = read_folder(root)
    assert fault.note and "val.txt names all images, none is left to train on" in fault.text


def test_image_labels_of_many_classes_or_on_request_are_a_parquet_table(root, monkeypatch):
    prepare_folder(root)
    named = read_image_labels(root, Tree(root).ids("train"), folder_class_names(root))
    prepare_folder(root, "parquet")
    assert not (root / "image_labels.json").exists()
    before = (root / "image_labels.parquet").stat()
    prepare_folder(root)  # keeps what is there, and writes nothing
    after = (root / "image_labels.parquet").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    labels = read_image_labels(root, Tree(root).ids("train"), folder_class_names(root))
    assert labels.class_ids.tolist() == named.class_ids.tolist() and labels.starts.tolist() == named.starts.tolist()
    prepare_folder(root, "json")
    assert (root / "image_labels.json").exists() and not (root / "image_labels.parquet").exists()
    monkeypatch.setattr("datamodules.prepare.folder.MANY_CLASSES", 0)
    prepare_folder(root)
    assert (root / "image_labels.json").exists(), "what an earlier version wrote stays"
    (root / "image_labels.json").unlink()
    prepare_folder(root)
    assert (root / "image_labels.parquet").exists() and not (root / "image_labels.json").exists()


def test_a_table_that_says_something_else_is_written_anew(root):
    prepare_folder(root, "parquet")
    (root / "image_labels.parquet").write_bytes(b"damaged")
    prepare_folder(root)
    assert read_image_labels(root, Tree(root).ids("train"), folder_class_names(root)).counts().any()
