import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.datasets.beside.captioned_pictures import CaptionedPictures
from datamodules.errors import DataError
from datamodules.files.image_labels.captions import write_captions
from tests.datamodules.datasets.test_random_crops import reader
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def root(tmp_path):
    make_voc_tree(tmp_path, 2)
    folder = tmp_path / "captioned"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (3, 24, 40, 3), dtype=np.uint8)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{number}.png")
    write_captions(folder, [(f"{number}.png", f"picture {number}") for number in range(3)])
    return tmp_path


def fit_set(root, limit=None, seed=0, **options):
    made = CaptionedPictures(str(root / "captioned"), **{"size": 16, **options})
    return made.fit_set(reader(root, label_folder=None, limit=limit), "train_aug", seed)


def test_each_picture_is_a_square_with_its_caption(root):
    data = fit_set(root)
    assert len(data) == 3 and list(data.ids) == ["0", "1", "2"]
    sample = data[4, 2]
    assert sample["id"] == "2" and sample["caption"] == "picture 2"
    assert sample["image"].shape == (3, 16, 16) and sample["image"].dtype == torch.uint8


def test_crops_depend_on_seed_epoch_and_index_alone(root):
    data = fit_set(root)
    first = data[1, 0]["image"]
    torch.rand(3)
    assert torch.equal(fit_set(root)[1, 0]["image"], first)
    assert not torch.equal(data[2, 0]["image"], first)
    assert not torch.equal(fit_set(root, seed=1)[1, 0]["image"], first)


def test_a_limit_takes_the_first_pictures(root):
    assert list(fit_set(root, limit=2).ids) == ["0", "1"]


def test_a_picture_can_be_taken_whole(root):
    data = fit_set(root, least_area=1.0, flip=False)
    assert data[0, 0]["image"].float().mean() == pytest.approx(float(data[5, 0]["image"].float().mean()), abs=8)


def test_without_a_folder_or_with_an_odd_share(root):
    with pytest.raises(DataError, match=r"data.training_set.folder: a CLIP learns from captioned pictures; name their"):
        CaptionedPictures().fit_set(reader(root, label_folder=None), "train_aug", 0)
    with pytest.raises(DataError, match=r"captions\.tsv: no such table"):
        CaptionedPictures(str(root)).fit_set(reader(root, label_folder=None), "train_aug", 0)
    with pytest.raises(ValueError, match=r"least_area: a share in \(0, 1\], not 0"):
        CaptionedPictures(least_area=0)
