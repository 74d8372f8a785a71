import zipfile

import numpy as np
import pytest
import torch

from datamodules.errors import DataError
from datamodules.files.scores import inspect_scores, read_scores, write_scores
from tests.fakes.touch import Touch

SCORES = np.random.default_rng(0).random((2, 30, 40), dtype=np.float32)


@pytest.fixture
def path(tmp_path):
    write_scores(tmp_path / "a.npz", np.array([3, 17]), SCORES)
    return tmp_path / "a.npz"


def test_what_is_written_is_read_in_half_precision(path):
    class_ids, scores = read_scores(path)
    assert class_ids.dtype == torch.int64 and class_ids.tolist() == [3, 17]
    assert scores.dtype == torch.float32 and scores.shape == (2, 30, 40)
    assert torch.equal(scores, torch.from_numpy(SCORES).half().float())
    assert not list(path.parent.glob("*.part"))


def test_an_image_without_classes(tmp_path):
    write_scores(tmp_path / "a.npz", np.zeros(0, np.int64), np.zeros((0, 5, 6), np.float32))
    class_ids, scores = read_scores(tmp_path / "a.npz")
    assert class_ids.shape == (0,) and scores.shape == (0, 5, 6)


def test_the_head_tells_classes_and_shape(path):
    class_ids, shape = inspect_scores(path)
    assert class_ids.tolist() == [3, 17] and shape == (2, 30, 40)


@pytest.mark.parametrize("read", [read_scores, inspect_scores])
def test_a_missing_file_is_named_with_the_remedy(tmp_path, read):
    with pytest.raises(DataError, match=r"b\.npz: no such score file; run the stage that makes scores"):
        read(tmp_path / "b.npz")


@pytest.mark.parametrize("read", [read_scores, inspect_scores])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.98])
def test_a_file_cut_short_is_named(path, read, keep):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(DataError, match=r"a\.npz: cannot be read as class_ids and scores \(.*run the stage .* again"):
        read(path)


def test_maps_that_do_not_decompress_are_named_when_read(path):
    with zipfile.ZipFile(path) as archive:
        place = archive.getinfo("scores.npy").header_offset + 500
    content = bytearray(path.read_bytes())
    content[place : place + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npz: cannot be read"):
        read_scores(path)


@pytest.mark.parametrize("read", [read_scores, inspect_scores])
@pytest.mark.parametrize("content", [{"cam": np.zeros(3)}, {"scores": np.zeros(3)}, {"class_ids": np.zeros(3)}])
def test_another_npz_is_named(tmp_path, read, content):
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(DataError, match=r"a\.npz: cannot be read"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("read", [read_scores, inspect_scores])
def test_a_pickle_inside_is_not_run(tmp_path, read):
    np.savez(
        tmp_path / "a.npz", class_ids=np.array([Touch(tmp_path / "ran")], dtype=object), scores=np.zeros((1, 2, 2))
    )
    with pytest.raises(DataError, match=r"a\.npz: cannot be read"):
        read(tmp_path / "a.npz")
    assert not (tmp_path / "ran").exists()


def test_scores_that_are_no_numbers_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    write_scores(path, np.array([1]), np.array([[[0.5, np.nan]]], np.float32))
    with pytest.raises(DataError, match=r"a\.npz: .* \(scores that are not finite\); run the stage"):
        read_scores(path)
