"""Dense CRF: it follows the image, leaves absent classes alone, and says what is missing."""

import copy
import pickle
import sys

import numpy as np
import pytest
import torch

from mars_pl.refine.dense_crf import NAMED, CRFSettings, DenseCRF, _potentials, dense_crf
from mars_pl.refine.protocol import Refine

pydensecrf = pytest.importorskip("pydensecrf.densecrf")

EDGE = 20


def two_halves(size=40):
    """An image with a vertical edge at EDGE, and a map whose ramp crosses .5 four pixels right of it."""
    image = np.full((size, size, 3), 40, dtype=np.uint8)
    image[:, EDGE:] = 200
    ramp = np.clip((np.arange(size) - (EDGE + 3.5)) / 16 + 0.5, 0.02, 0.98)
    right = np.broadcast_to(ramp, (size, size))
    return image, np.stack([1 - right, right]).astype(np.float32)


def test_a_blurred_map_is_sharpened_to_the_edge_of_the_image():
    image, probabilities = two_halves()
    truth = np.broadcast_to(np.arange(40) >= EDGE, (40, 40))
    assert (probabilities.argmax(0) != truth).sum() == 40 * 4
    refined = dense_crf(image, probabilities)
    assert np.array_equal(refined.argmax(0), truth)
    assert refined[1, :, EDGE].min() > 0.9 and refined[1, :, EDGE - 1].max() < 0.1


def test_absent_channels_stay_zero_and_do_not_compete():
    image, probabilities = two_halves()
    wide = np.zeros((5, 40, 40), dtype=np.float32)
    wide[[0, 3]] = probabilities
    refined = dense_crf(image, wide)
    assert not refined[[1, 2, 4]].any()
    assert np.array_equal(refined[[0, 3]], dense_crf(image, probabilities))
    assert np.allclose(refined.sum(0), 1, atol=1e-5)
    assert refined.min() >= 0 and refined.max() <= 1


def test_a_label_alone_is_left_as_it_is():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)
    probabilities = np.zeros((3, 8, 9), dtype=np.float32)
    probabilities[1] = rng.random((8, 9))
    assert np.array_equal(dense_crf(image, probabilities), probabilities)
    assert not dense_crf(image, np.zeros_like(probabilities)).any()


def test_no_iterations_give_back_the_probabilities():
    image, probabilities = two_halves()
    assert np.allclose(dense_crf(image, probabilities, CRFSettings(iterations=0)), probabilities, atol=1e-6)


def test_labels_of_one_image_share_its_potentials_and_no_more():
    image, probabilities = two_halves()
    others = [probabilities, probabilities[::-1].copy(), probabilities * 0.5 + 0.25]
    alone = []
    for maps in others:
        _potentials.cache_clear()
        alone.append(dense_crf(image, maps))
    _potentials.cache_clear()
    together = [dense_crf(image, maps) for maps in others]
    assert _potentials.cache_info().misses == 1
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))
    mirrored = dense_crf(image[:, ::-1], probabilities)
    assert not np.array_equal(mirrored, together[0])
    assert not np.array_equal(dense_crf(image, probabilities, NAMED["cam"]), together[0])
    three = np.concatenate([probabilities * 0.5, np.full((1, 40, 40), 0.5, dtype=np.float32)])
    assert dense_crf(image, three).shape == (3, 40, 40)
    assert _potentials.cache_info().misses == 4


def test_the_input_is_not_written_to():
    image, probabilities = two_halves()
    before = probabilities.copy()
    dense_crf(image, probabilities)
    assert np.array_equal(probabilities, before)


def test_a_map_of_another_size_is_refused():
    image, probabilities = two_halves()
    with pytest.raises(ValueError, match="resize"):
        dense_crf(image[:-1], probabilities)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_batch_gives_what_single_images_give(workers):
    image, probabilities = two_halves()
    images = torch.from_numpy(np.stack([image, image[:, ::-1], image[::-1]])).permute(0, 3, 1, 2)
    maps = torch.from_numpy(np.stack([probabilities, probabilities[:, :, ::-1].copy(), probabilities[::-1].copy()]))
    crf = DenseCRF(workers=workers)
    refined = crf(images, maps)
    assert refined.dtype == torch.float32
    for one, (picture, given) in zip(refined, zip(images, maps, strict=True), strict=True):
        expected = dense_crf(picture.permute(1, 2, 0).numpy(), given.numpy())
        assert np.array_equal(one.numpy(), expected)
    assert np.array_equal(crf(images, maps).numpy(), refined.numpy())


def test_only_the_channels_that_take_part_go_to_the_processes(monkeypatch):
    image, probabilities = two_halves()
    images = torch.from_numpy(np.stack([image, image])).permute(0, 3, 1, 2)
    wide = torch.zeros(2, 81, 40, 40)
    wide[0, [0, 3]] = torch.from_numpy(probabilities)
    wide[1, [0, 7, 80]] = torch.from_numpy(np.concatenate([probabilities * 0.5, np.full((1, 40, 40), 0.5, np.float32)]))
    expected = [dense_crf(image, maps.numpy()) for maps in wide]
    sent = []

    def watched(pixels, maps, settings):
        sent.append(maps.shape)
        return dense_crf(pixels, maps, settings)

    monkeypatch.setattr("mars_pl.refine.dense_crf.dense_crf", watched)
    before = wide.clone()
    refined = DenseCRF()(images, wide)
    assert sent == [(2, 40, 40), (3, 40, 40)]
    assert np.array_equal(refined.numpy(), np.stack(expected)) and torch.equal(wide, before)


def test_it_pickles_and_copies_without_its_processes():
    crf = DenseCRF(workers=1)
    image, probabilities = two_halves()
    images = torch.from_numpy(image).permute(2, 0, 1).expand(2, -1, -1, -1)
    crf(images, torch.from_numpy(probabilities).expand(2, -1, -1, -1))
    assert crf._pool is not None
    for twin in (pickle.loads(pickle.dumps(crf)), copy.deepcopy(crf)):
        assert twin.settings == crf.settings and twin.workers == 1 and twin._pool is None


def test_the_default_is_deeplab_and_others_have_names():
    assert DenseCRF().settings == NAMED["deeplab"] == CRFSettings(10, 1, 3, 67, 3, 4)
    named = DenseCRF("irn-label", workers=3)
    assert named.settings == CRFSettings(10, 3, 3, 50, 5, 10) and named.workers == 3
    assert isinstance(named, Refine)
    assert DenseCRF("irn-label", scale=0.5).settings == CRFSettings(10, 1.5, 3, 25, 5, 10)
    with pytest.raises(ValueError, match="'deeplap'; there are deeplab, irn-label"):
        DenseCRF("deeplap")


def test_without_pydensecrf_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydensecrf.densecrf", None)
    _potentials.cache_clear()
    image, probabilities = two_halves()
    with pytest.raises(ValueError, match=r"pip install -e '\.\[crf\]' in the checkout") as caught:
        dense_crf(image, probabilities)
    assert "\n" not in str(caught.value)
