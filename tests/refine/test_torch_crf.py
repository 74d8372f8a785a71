"""The dense CRF in plain PyTorch: pydensecrf's numbers, and what any refinement must keep."""

import pickle
import sys

import pytest
import torch

from mars_pl.refine.dense_crf import NAMED, CRFSettings, DenseCRF
from mars_pl.refine.protocol import Refine
from mars_pl.refine.torch_crf import TorchDenseCRF, mean_field


def scene(labels=2, height=50, width=70, seed=0):
    """A noisy image of two flat halves with a disc, and coarse probabilities of a few broad regions."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    image = torch.where(columns < width // 2, 60, 150).expand(3, -1, -1).clone()
    image[0, (rows - height // 2).square() + (columns - width // 3).square() < (height // 4) ** 2] = 220
    noise = torch.randint(-4, 5, image.shape, generator=generator)
    logits = 2 * torch.randn(1, labels, 4, 5, generator=generator)
    maps = torch.nn.functional.interpolate(logits, (height, width), mode="bilinear").softmax(1)
    return (image + noise).to(torch.uint8)[None], maps


@pytest.mark.parametrize("preset", list(NAMED))
@pytest.mark.parametrize("labels", [2, 5])
def test_it_gives_what_pydensecrf_gives(preset, labels):
    pytest.importorskip("pydensecrf.densecrf")
    image, maps = scene(labels)
    expected = DenseCRF(preset)(image, maps)
    found = TorchDenseCRF(preset)(image, maps)
    assert (expected - maps).abs().mean() > 0.01, "there is something to be missed"
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert (found.argmax(1) == expected.argmax(1)).float().mean() > 0.999


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_the_smallest_images(size):
    image, maps = scene(3, 16, 16)
    image, maps = image[..., : size[0], : size[1]], maps[..., : size[0], : size[1]]
    refined = TorchDenseCRF()(image, maps)
    assert refined.shape == maps.shape
    torch.testing.assert_close(refined.sum(1), torch.ones(1, *size))
    if "pydensecrf" in sys.modules:
        torch.testing.assert_close(refined, DenseCRF()(image, maps), rtol=0, atol=1e-4)


def test_one_pixel_written_out():
    # A pixel alone is its own neighbour in both kernels, each normalised to 1: a step adds 7 times the difference.
    maps = torch.tensor([0.6, 0.4]).view(1, 2, 1, 1)
    refined = TorchDenseCRF("toco")(torch.full((1, 3, 1, 1), 90, dtype=torch.uint8), maps)
    share = 0.6
    for _ in range(10):
        share = torch.sigmoid(torch.tensor(0.6 / 0.4).log() + (1 + 4) * (2 * share - 1)).item()
    assert refined[0, 0, 0, 0].item() == pytest.approx(share, abs=1e-5)


def test_an_even_image_keeps_even_probabilities():
    image = torch.full((1, 3, 20, 24), 77, dtype=torch.uint8)
    torch.testing.assert_close(TorchDenseCRF()(image, torch.full((1, 2, 20, 24), 0.5)), torch.full((1, 2, 20, 24), 0.5))
    leaning = TorchDenseCRF()(image, torch.tensor([0.6, 0.4]).view(1, 2, 1, 1).expand(-1, -1, 20, 24))
    assert leaning[:, 0].min() > 0.99


def test_absent_labels_stay_zero_and_do_not_compete():
    image, maps = scene(2)
    wide = torch.zeros(3, 81, 50, 70)
    wide[0, [0, 3]] = maps[0]
    wide[1, [7, 9, 80]] = scene(3, seed=1)[1][0]
    wide[2, 5] = maps[0, 0]  # a label alone has nothing to compete with
    before = wide.clone()
    refined = TorchDenseCRF()(image.expand(3, -1, -1, -1), wide)
    assert torch.equal(wide, before)
    assert torch.equal(refined[0, [0, 3]], TorchDenseCRF()(image, maps)[0])
    assert torch.equal(refined.flatten(2).any(dim=2), wide.flatten(2).any(dim=2))
    assert torch.equal(refined[2], wide[2])
    torch.testing.assert_close(refined[:2].sum(1), torch.ones(2, 50, 70))


@pytest.mark.parametrize("tolerance", [None, 0.02])
def test_a_batch_gives_what_single_images_give(tolerance):
    scenes = [scene(3, seed=seed) for seed in range(3)]
    images, maps = (torch.cat(parts) for parts in zip(*scenes, strict=True))
    crf = TorchDenseCRF(tolerance=tolerance)
    singly = torch.cat([crf(image, given) for image, given in scenes])
    assert torch.equal(crf(images, maps), singly)
    taking_part = torch.ones(3, 3, dtype=torch.bool)
    together = mean_field(images, maps, taking_part, crf.settings, tolerance)  # as off the CPU
    torch.testing.assert_close(together, singly, rtol=0, atol=1e-5)


def test_labels_that_take_part_differ_within_a_batch():
    (image, two), (other, three) = scene(2), scene(3, seed=1)
    maps = torch.cat([torch.cat([two, torch.zeros(1, 1, 50, 70)], dim=1), three])
    taking_part = torch.tensor([[True, True, False], [True, True, True]])
    found = mean_field(torch.cat([image, other]), maps, taking_part, NAMED["deeplab"])
    assert not found[0, 2].any()
    torch.testing.assert_close(found[:1, :2], TorchDenseCRF()(image, two), rtol=0, atol=1e-5)
    torch.testing.assert_close(found[1:], TorchDenseCRF()(other, three), rtol=0, atol=1e-5)


@pytest.mark.parametrize("tolerance", [0.0, 0.005, 0.05])
def test_stopped_early_no_more_labels_differ_than_allowed(tolerance):
    for seed in range(4):
        image, maps = scene(3, seed=seed)
        full = TorchDenseCRF("cam")(image, maps)
        early = TorchDenseCRF("cam", tolerance=tolerance)(image, maps)
        assert (full.argmax(1) != early.argmax(1)).float().mean() <= tolerance
        torch.testing.assert_close(early.sum(1), torch.ones(1, 50, 70))
    assert tolerance < 0.05 or not torch.equal(full, early)


def test_half_precision_and_float64_come_back_as_float32():
    image, maps = scene(3)
    whole = TorchDenseCRF()(image, maps.half().float())
    assert torch.equal(TorchDenseCRF()(image, maps.half()), whole) and whole.dtype == torch.float32
    assert torch.equal(TorchDenseCRF()(image, maps.double()), TorchDenseCRF()(image, maps))


def test_within_half_precision_training_it_stays_float32():
    image, maps = scene(3)
    with torch.autocast("cpu", torch.bfloat16):
        inside = TorchDenseCRF()(image, maps)
    assert torch.equal(inside, TorchDenseCRF()(image, maps))


def test_no_iterations_give_back_the_probabilities():
    image, maps = scene(3)
    found = mean_field(image, maps, torch.ones(1, 3, dtype=torch.bool), CRFSettings(iterations=0))
    torch.testing.assert_close(found, maps)


def test_another_image_of_the_size_is_not_mistaken_for_the_one_before():
    image, maps = scene()
    mirrored = image.flip(3)
    first = TorchDenseCRF()(image, maps)
    assert not torch.equal(TorchDenseCRF()(mirrored, maps), first)
    assert torch.equal(TorchDenseCRF()(image, maps), first)
    assert not torch.equal(TorchDenseCRF("cam")(image, maps), first)


def test_its_settings_have_names_and_it_pickles():
    crf = TorchDenseCRF("irn-label", scale=0.5, tolerance=0.005)
    assert isinstance(crf, Refine) and crf.settings == DenseCRF("irn-label", scale=0.5).settings
    twin = pickle.loads(pickle.dumps(crf))
    assert twin.settings == crf.settings and twin.tolerance == 0.005
    with pytest.raises(ValueError, match="'deeplap'; there are deeplab, irn-label"):
        TorchDenseCRF("deeplap")
    with pytest.raises(ValueError, match="share of the pixels"):
        TorchDenseCRF(tolerance=5)


def test_a_map_of_another_size_is_refused():
    image, maps = scene()
    with pytest.raises(ValueError, match="images of 49×70 cannot refine maps of 50×70; resize one"):
        TorchDenseCRF()(image[:, :, 1:], maps)


def test_no_gradient_and_no_image_are_no_trouble():
    image, maps = scene()
    assert not TorchDenseCRF()(image, maps.requires_grad_()).requires_grad
    assert TorchDenseCRF()(image[:0], maps[:0].detach()).shape == (0, 2, 50, 70)
    assert not TorchDenseCRF()(image, torch.zeros(1, 2, 50, 70)).any()


def test_pydensecrf_is_not_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydensecrf", None)
    monkeypatch.setitem(sys.modules, "pydensecrf.densecrf", None)
    assert TorchDenseCRF()(*scene()).shape == (1, 2, 50, 70)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_what_the_cpu_gives():
    images, maps = (torch.cat(parts) for parts in zip(*(scene(3, seed=seed) for seed in range(3)), strict=True))
    found = TorchDenseCRF()(images.cuda(), maps.cuda())
    assert found.is_cuda
    torch.testing.assert_close(found.cpu(), TorchDenseCRF()(images, maps), rtol=0, atol=1e-3)
