import numpy as np
import pytest
import torch

from datamodules.datasets.cell_crops import CellCrops
from datamodules.datasets.split_reader import SplitReader
from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.scores import read_scores, write_scores
from datamodules.files.tree import Tree, read_image
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def root(tmp_path):
    for name in make_voc_tree(tmp_path, 3, pseudo="Confident"):
        height, width = read_image(tmp_path / f"JPEGImages/{name}.jpg").shape[-2:]
        maps = np.random.default_rng(0).random((6, height, width), dtype=np.float32)
        write_scores(tmp_path / f"Confident/{name}.npz", np.array([0, 4, 17, 0, 4, 17]), maps)
    return tmp_path


def crops(root, label_folder="Confident", **options):
    reader = SplitReader(Tree(root), CLASS_NAMES["voc"], image_labels="auto", label_folder=label_folder)
    return CellCrops(**{"crop_size": 32, "long_side": None, "flip": False} | options).fit_set(reader, "train_aug", 0)


def test_a_cell_has_the_mean_of_its_pixels_and_every_class_a_channel(root):
    sample = crops(root, crop_size=16)[0, 0]
    assert sample.keys() == {"id", "image", "classes", "competing", "valid"}
    assert sample["competing"].shape == (2, 21, 2, 2) and sample["competing"].dtype == torch.float32
    whole, own = read_image(root / f"JPEGImages/{sample['id']}.jpg"), [0, 4, 17]
    _, maps = read_scores(root / f"Confident/{sample['id']}.npz")
    # where in the image the crop lies, by its pixels
    places = [
        (y, x)
        for y in range(whole.shape[1] - 15)
        for x in range(whole.shape[2] - 15)
        if torch.equal(whole[:, y : y + 16, x : x + 16], sample["image"])
    ]
    ((y, x),) = places
    for cell_y in range(2):
        for cell_x in range(2):
            pixels = maps[:, y + 8 * cell_y :, x + 8 * cell_x :][:, :8, :8]
            found = sample["competing"][:, own, cell_y, cell_x].flatten()
            assert torch.allclose(found, pixels.mean((1, 2)))
    others = [label for label in range(21) if label not in own]
    assert not sample["competing"][:, others].any()


def test_padding_counts_as_nothing_within_a_cell(root):
    sample = crops(root, crop_size=96)[0, 0]
    share = sample["valid"].float().unflatten(0, (12, 8)).unflatten(2, (12, 8)).mean((1, 3))
    reached = sample["competing"].amax((0, 1))
    assert (reached[share == 0] == 0).all() and (reached[share > 0] > 0).all() and (share == 0).any()


def test_resized_maps_follow_the_image(root):
    sample = crops(root, long_side=(30, 60), flip=True)[1, 1]
    assert sample["competing"].shape == (2, 21, 4, 4) and sample["image"].shape == (3, 32, 32)
    again = crops(root, long_side=(30, 60), flip=True)[1, 1]
    assert torch.equal(sample["competing"], again["competing"])


def test_labels_without_maps_are_refused_before_the_fit(root):
    path = root / f"Confident/{Tree(root).ids('train_aug')[0]}.npz"
    path.unlink()
    with pytest.raises(DataError, match=rf"{path.name}: no maps beside the confident label; predict scores with"):
        crops(root)
    with pytest.raises(DataError, match=r"data\.label_folder: cells learn from confident labels"):
        crops(root, label_folder=None)


@pytest.mark.parametrize("class_ids", [[1, 2, 3, 0, 4, 17], [0, 4, 17, 0, 4, 5], []])
def test_maps_of_something_else_are_refused(root, class_ids):
    data = crops(root)
    shape = read_scores(root / f"Confident/{data.images.ids[0]}.npz")[1].shape[1:]
    path = root / f"Confident/{data.images.ids[0]}.npz"
    write_scores(path, np.array(class_ids, dtype=np.int64), np.zeros((len(class_ids), *shape), np.float32))
    with pytest.raises(DataError, match="not the maps of this image's confident label"):
        data[0, 0]


def test_maps_of_another_size_are_refused(root):
    data = crops(root)
    write_scores(root / f"Confident/{data.images.ids[0]}.npz", np.array([0, 4, 0, 4]), np.zeros((4, 7, 9), np.float32))
    with pytest.raises(DataError, match="not the maps of this image's confident label"):
        data[0, 0]


def test_a_crop_is_whole_cells():
    with pytest.raises(ValueError, match="crop_size: 100 pixels are no whole number of cells of 8 pixels"):
        CellCrops(crop_size=100)
