"""Score files in the forms that IRN, SEAM and RS+EPM publish, each written as its own script does."""

import pickle

import numpy as np
import pytest
import torch

from datamodules.errors import DataError
from datamodules.foreign.scores import (
    keys_hold_background,
    read_irn,
    read_irn_background,
    read_rsepm,
    read_seam_cam,
    read_seam_crf,
    seam_content,
)

CLASSES = 21
MAPS = np.array([[[0.0, 0.25, 1.0], [0.5, 0.75, 0.125]], [[1.0, 0.5, 0.0], [0.25, 0.0, 0.5]]], dtype=np.float32)
BACKGROUND = 1 - MAPS.max(0)


def npy(path, content):
    np.save(path, content, allow_pickle=True)
    return path


def pkl(path, content):
    path.write_bytes(pickle.dumps(content))
    return path


def irn(path, keys=(0, 14), maps=MAPS):
    keys, cam = torch.tensor(keys, dtype=torch.int64), torch.zeros(len(keys), 1, 1)
    return npy(path, {"keys": keys, "cam": cam, "high_res": maps})


def probabilities():
    """Background and two classes that sum to 1, as a CRF gives."""
    stacked = np.concatenate([BACKGROUND[None] + 0.01, MAPS])
    return (stacked / stacked.sum(0)).astype(np.float32)


def test_irn(tmp_path):
    scores = read_irn(irn(tmp_path / "a.npy"), CLASSES)
    assert scores.class_ids.tolist() == [1, 15] and scores.class_ids.dtype == np.int64
    assert scores.maps.dtype == np.float32 and np.array_equal(scores.maps, MAPS)
    assert scores.background is None


@pytest.mark.parametrize("form", [torch.from_numpy, lambda maps: torch.from_numpy(maps).half(), np.float64, list])
def test_maps_of_any_type(tmp_path, form):
    scores = read_irn(irn(tmp_path / "a.npy", maps=form(MAPS)), CLASSES)
    assert scores.maps.dtype == np.float32 and np.array_equal(scores.maps, MAPS)


def test_keys_as_an_array(tmp_path):
    path = npy(tmp_path / "a.npy", {"keys": np.array([7]), "high_res": MAPS[:1]})
    assert read_irn(path, CLASSES).class_ids.tolist() == [8]


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        ({"keys": torch.zeros(0, dtype=torch.int64), "high_res": np.zeros((0, 2, 3), np.float32)}, (0, 2, 3)),
        ({"keys": torch.zeros(0, dtype=torch.int64)}, (0, 0, 0)),
        ({"keys": np.array([])}, (0, 0, 0)),
    ],
)
def test_an_image_without_classes(tmp_path, content, shape):
    scores = read_irn(npy(tmp_path / "a.npy", content), CLASSES)
    assert scores.class_ids.tolist() == [] and scores.maps.shape == shape


def test_seam_cams_count_classes_from_0(tmp_path):
    path = npy(tmp_path / "a.npy", {14: MAPS[0], 0: MAPS[1]})
    scores = read_seam_cam(path, CLASSES)
    assert scores.class_ids.tolist() == [15, 1] and np.array_equal(scores.maps, MAPS)
    assert scores.background is None and seam_content(path) == "seam-cam"
    assert seam_content(npy(tmp_path / "b.npy", {14: MAPS[0]})) == "seam-cam"
    assert read_seam_cam(npy(tmp_path / "c.npy", {}), CLASSES).maps.shape == (0, 0, 0)


def test_seam_crfs_count_classes_from_1_behind_the_background(tmp_path):
    background, *maps = probabilities()
    path = npy(tmp_path / "a.npy", {0: background, 1: maps[0], 15: maps[1]})
    scores = read_seam_crf(path, CLASSES)
    assert scores.class_ids.tolist() == [1, 15] and np.array_equal(scores.maps, maps)
    assert np.array_equal(scores.background, background) and seam_content(path) == "seam-crf"


def test_below_0_is_0(tmp_path):
    """SEAM's normalisation leaves small negative numbers where a map was cut off."""
    scores = read_seam_cam(npy(tmp_path / "a.npy", {3: MAPS[0] - 0.1}), CLASSES)
    assert scores.maps.min() == 0 and scores.maps[0, 1, 0] == pytest.approx(0.4)


def test_rsepm(tmp_path):
    path = pkl(tmp_path / "a.pkl", {"keys": np.array([0, 8, 20]), "seed": MAPS})
    scores = read_rsepm(path, CLASSES)
    assert scores.class_ids.tolist() == [8, 20] and np.array_equal(scores.maps, MAPS) and scores.background is None
    scores = read_rsepm(pkl(tmp_path / "b.pkl", {"keys": np.array([0, 8, 20]), "seed": probabilities()}), CLASSES)
    assert np.array_equal(scores.background, probabilities()[0]) and np.array_equal(scores.maps, probabilities()[1:])
    scores = read_rsepm(pkl(tmp_path / "c.pkl", {"keys": np.array([0]), "seed": MAPS[:0]}), CLASSES)
    assert scores.class_ids.tolist() == [] and scores.maps.shape == (0, 2, 3)


@pytest.mark.parametrize(
    ("reader", "content", "complaint"),
    [
        (read_irn, [1], "holds no dict; is this a file of class scores"),
        (read_irn, {1: MAPS[0]}, "holds no 'keys' but 1; is KIND the right one"),
        (read_irn, {"keys": torch.tensor([1])}, "holds no 'high_res'"),
        (read_irn, {"keys": ["cat"], "high_res": MAPS}, "its keys are no class numbers"),
        (read_irn, {"keys": torch.tensor([0, 20]), "high_res": MAPS}, "holds class 21, the data 1 to 20; is --data"),
        (read_irn, {"keys": torch.tensor([-1, 3]), "high_res": MAPS}, "holds class 0, the data 1 to 20"),
        (read_irn, {"keys": torch.tensor([3, 3]), "high_res": MAPS}, "holds a class twice"),
        (read_irn, {"keys": torch.tensor([3]), "high_res": MAPS}, "holds 1 classes but 2 maps"),
        (read_irn, {"keys": torch.tensor([3]), "high_res": MAPS[0]}, "its maps are not of one size"),
        (read_irn, {"keys": torch.tensor([3]), "high_res": ["map"]}, "its maps are not of one size"),
        (read_irn, {"keys": torch.tensor([3, 4]), "high_res": 20 * MAPS}, "its scores go to 20; scale each map to 0…1"),
        (read_irn, {"keys": torch.tensor([3]), "high_res": MAPS[:1] * np.nan}, "its scores go to nan"),
        (read_seam_cam, {"a": MAPS[0]}, "its keys are no class numbers"),
        (read_seam_cam, {1: MAPS[0], 2: MAPS[0, :1]}, "its maps are not of one size"),
        (read_seam_crf, {1: MAPS[0]}, "holds no background"),
        (read_seam_crf, {0: BACKGROUND[:1], 1: MAPS[0]}, "its background is of another size"),
        (read_rsepm, {"keys": np.array([0, 3])}, "holds no 'seed' but 'keys'"),
        (read_rsepm, {"keys": np.array([3, 4]), "seed": MAPS}, "its keys do not begin with 0"),
        (read_rsepm, {"keys": np.array([0, 3]), "seed": np.ones((3, 2, 2))}, "holds 1 classes but 3 maps"),
    ],
)
def test_a_file_of_another_form_is_named_with_its_fault(tmp_path, reader, content, complaint):
    with pytest.raises(DataError, match=rf"a\.npy: {complaint}") as caught:
        reader(npy(tmp_path / "a.npy", content), CLASSES)
    assert "\n" not in str(caught.value)


def test_irn_keys_behind_the_background(tmp_path):
    with_background = irn(tmp_path / "a.npy", (0, 1, 15), np.concatenate([BACKGROUND[None], MAPS]))
    scores = read_irn_background(with_background, CLASSES)
    assert scores.class_ids.tolist() == [1, 15]
    assert np.array_equal(scores.maps, MAPS) and np.array_equal(scores.background, BACKGROUND)
    without = read_irn_background(irn(tmp_path / "b.npy", (0, 1, 15)), CLASSES)
    assert without.class_ids.tolist() == [1, 15] and without.background is None
    empty = npy(tmp_path / "c.npy", {"keys": np.array([0])})
    assert read_irn_background(empty, CLASSES).class_ids.tolist() == []
    with pytest.raises(DataError, match=r"d\.npy: its keys do not begin with 0, the background"):
        read_irn_background(irn(tmp_path / "d.npy", (3, 14)), CLASSES)


@pytest.mark.parametrize(
    ("keys", "doubtful"),
    [
        ([(0, 4), (0, 2, 3), (0, 19)], True),
        ([(0, 4), (0, 2), (), (0, 1)], True),
        ([(0, 4), (0, 2)], False),  # too few
        ([(0,), (0, 2), (0, 1)], False),  # an image that shows class 1 alone
        ([(0, 4), (1, 2), (0, 1)], False),
        ([(0,), (0,), (0,)], False),
    ],
)
def test_whether_irn_keys_hold_the_background(tmp_path, keys, doubtful):
    paths = [npy(tmp_path / f"{i}.npy", {"keys": np.array(one, dtype=np.int64)}) for i, one in enumerate(keys)]
    assert keys_hold_background(paths) == doubtful
