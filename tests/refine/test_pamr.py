"""PAMR against its definition written out pixel by pixel, and the properties of a weighted mean."""

import math

import pytest
import torch

from mars_pl.refine.pamr import PAMR, affinities
from mars_pl.refine.protocol import Refine


def literal_pamr(image, maps, dilations, iterations):
    """The definition for one image: image (3, H, W) and maps (K, H, W) as nested lists of Python floats."""
    height, width = len(image[0]), len(image[0][0])

    def at(plane, y, x):
        return plane[min(max(y, 0), height - 1)][min(max(x, 0), width - 1)]

    offsets = [(d * i, d * j) for d in dilations for i in (-1, 0, 1) for j in (-1, 0, 1)]
    neighbours = [offset for offset in offsets if offset != (0, 0)]
    weights = {}
    for y in range(height):
        for x in range(width):
            energies = [0.0] * len(neighbours)
            for plane in image:
                values = [at(plane, y + i, x + j) for i, j in offsets]
                mean = sum(values) / len(values)
                deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
                for n, (i, j) in enumerate(neighbours):
                    energies[n] -= abs(at(plane, y + i, x + j) - plane[y][x]) / (1e-8 + 0.1 * deviation) / len(image)
            exponentials = [math.exp(energy) for energy in energies]
            weights[y, x] = [value / sum(exponentials) for value in exponentials]
    for _ in range(iterations):
        maps = [
            [
                [
                    sum(w * at(plane, y + i, x + j) for w, (i, j) in zip(weights[y, x], neighbours, strict=True))
                    for x in range(width)
                ]
                for y in range(height)
            ]
            for plane in maps
        ]
    return maps


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def noisy_images(batch, height, width, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (batch, 3, height, width), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("dilations", [(1,), (1, 2, 7)])
def test_it_is_the_definition(dilations):
    images, maps = noisy_images(2, 5, 6), noise(2, 2, 5, 6)
    refined = PAMR(iterations=3, dilations=dilations)(images, maps)
    assert refined.dtype == torch.float64
    for image, given, found in zip(images.tolist(), maps.tolist(), refined, strict=True):
        expected = torch.tensor(literal_pamr(image, given, dilations, 3), dtype=torch.float64)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_a_constant_map_and_an_even_image_are_no_trouble():
    maps = torch.full((1, 2, 9, 7), 0.5)
    torch.testing.assert_close(PAMR()(noisy_images(1, 9, 7), maps), maps)
    even = torch.full((1, 3, 9, 7), 77, dtype=torch.uint8)
    torch.testing.assert_close(affinities(even.float(), (1, 2)), torch.full((1, 16, 9, 7), 1 / 16))


def test_a_blurred_map_is_sharpened_to_the_edge_of_the_image():
    images = torch.full((1, 3, 32, 32), 40, dtype=torch.uint8)
    images[..., 16:] = 200
    right = ((torch.arange(32) - 19.5) / 16 + 0.5).clamp(0, 1).expand(1, 1, 32, 32)
    maps = torch.cat([1 - right, right], dim=1)
    before = maps[..., 16] - maps[..., 15]
    refined = PAMR()(images, maps)
    after = refined[..., 16] - refined[..., 15]
    assert (after[:, 1] > 3 * before[:, 1]).all()


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_probabilities_stay_probabilities_and_absent_channels_zero(scale):
    maps = torch.zeros(2, 4, 12, 10)
    maps[0, [0, 2]] = noise(2, 12, 10).softmax(0).float()
    maps[1, 0] = 1
    refined = PAMR(scale=scale)(noisy_images(2, 12, 10), maps)
    assert refined.shape == maps.shape and refined.dtype == torch.float32
    assert not refined[:, [1, 3]].any() and not refined[1, 2].any()
    torch.testing.assert_close(refined.sum(1), torch.ones(2, 12, 10))
    assert refined.min() >= 0 and refined.max() <= 1
    assert not PAMR()(noisy_images(1, 4, 4), torch.zeros(1, 3, 4, 4)).any()


def test_a_batch_gives_what_single_images_give():
    images, maps = noisy_images(3, 8, 8), noise(3, 2, 8, 8)
    pamr = PAMR(iterations=2, dilations=(1, 2))
    singly = torch.cat([pamr(images[i : i + 1], maps[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(pamr(images, maps), singly, rtol=0, atol=1e-14)


def test_an_image_of_another_size_is_brought_to_the_maps():
    images = noisy_images(1, 4, 4).repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    assert PAMR()(images, noise(1, 2, 5, 6)).shape == (1, 2, 5, 6)


def test_it_is_a_refinement_without_weights_or_gradients():
    pamr = PAMR(dilations=[1])
    assert isinstance(pamr, Refine) and not list(pamr.parameters()) and not pamr.state_dict()
    assert not pamr(noisy_images(1, 4, 4), noise(1, 2, 4, 4).requires_grad_()).requires_grad
    with pytest.raises(ValueError, match="distances"):
        PAMR(dilations=[0, 1])
