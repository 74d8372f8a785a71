from __future__ import annotations

from functools import partial

import pytest
import torch

from mars_pl.training.weights import save_weights
from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.dense_features import DenseFeatures, offsets
from mars_pl.uss.stego.head import STEGOHead


def test_mean_of_both_directions(backbone, image):
    features = DenseFeatures(backbone, partial(STEGOHead, dim=5))
    head = features.head
    there, back = head(backbone(image)), head(backbone(image.flip(-1))).flip(-1)
    assert not torch.allclose(there, back, atol=1e-3)
    torch.testing.assert_close(features(image), (there + back) / 2)
    assert features.dim == 5


@pytest.mark.parametrize("width", [64, 57])
def test_a_mirrored_image_has_mirrored_features(backbone, image, width):
    features, image = DenseFeatures(backbone, partial(STEGOHead, dim=5)), image[..., :width]
    torch.testing.assert_close(features(image.flip(-1)), features(image).flip(-1), rtol=1e-4, atol=1e-5)


def test_without_head_and_flip_it_is_the_backbone(backbone, image):
    features = DenseFeatures(backbone, flip=False)
    assert torch.equal(features(image), backbone(image))
    assert features.dim == 64


def test_it_stays_in_evaluation_and_gives_no_gradient(backbone, image):
    features = DenseFeatures(backbone, STEGOHead).train()
    assert not features.head.training
    assert torch.equal(features(image), features(image))
    assert not features(image).requires_grad
    assert not any(parameter.requires_grad for parameter in features.parameters())


def test_the_head_reads_its_weights(tmp_path, backbone, image):
    fitted = STEGOHead(64, dim=5)
    save_weights(fitted, tmp_path / "weights.safetensors")
    loaded = DenseFeatures(backbone, partial(STEGOHead, dim=5), weights=str(tmp_path / "weights.safetensors"))
    assert torch.equal(loaded(image), DenseFeatures(backbone, lambda channels: fitted)(image))


def test_without_a_head_the_weights_are_a_fine_tuned_backbone(tmp_path, backbone, image):
    torch.manual_seed(1)
    tuned = FrozenViT("test_vit")
    save_weights(tuned.network, tmp_path / "weights.safetensors")
    features = DenseFeatures(backbone, weights=str(tmp_path / "weights.safetensors"), flip=False)
    assert torch.equal(features(image), tuned(image))
    assert not any(parameter.requires_grad for parameter in features.parameters())


def test_weights_of_a_head_without_a_head_are_refused(tmp_path, backbone):
    save_weights(STEGOHead(64, dim=5), tmp_path / "head.safetensors")
    with pytest.raises(ValueError, match=r"head\.safetensors: not the weights of VisionTransformer") as error:
        DenseFeatures(backbone, weights=str(tmp_path / "head.safetensors"))
    assert "\n" not in str(error.value)


class MeanColour(torch.nn.Module):
    """A backbone whose token is the mean colour of a square of the image, as an enlarged patch sees less of it."""

    dim = 3

    def __init__(self, side=8):
        super().__init__()
        self.side, self.stride = side, (side, side)

    def forward(self, image):
        return torch.nn.functional.avg_pool2d(image.float(), self.side)


@pytest.mark.parametrize(
    ("stride", "shifts", "moves"),
    [(8, 1, [0]), (8, 2, [-2, 2]), (8, 4, [-3, -1, 1, 3]), (14, 2, [-4, 4]), (3.5, 2, [-1, 1])],
)
def test_an_image_moves_by_equal_steps_around_nothing(stride, shifts, moves):
    assert offsets(stride, shifts) == moves


@pytest.mark.parametrize("side", [8, 4])
def test_shifted_maps_interleave_to_a_finer_stride(image, side):
    fine = DenseFeatures(MeanColour(side), flip=False, shifts=2)(image[..., :32, :48])
    assert fine.shape[-2:] == (64 // side, 96 // side)
    padded = torch.nn.functional.pad(image[..., :32, :48].float(), [side // 4] * 4, mode="reflect")
    torch.testing.assert_close(fine, torch.nn.functional.avg_pool2d(padded, side, stride=side // 2))


def test_an_enlarged_image_moves_by_its_own_finer_stride(image):
    backbone = FrozenViT("test_vit", scale=2)
    assert backbone.stride == (backbone.patch[0] / 2, backbone.patch[1] / 2)
    features, quarter = DenseFeatures(backbone, flip=False, shifts=2), int(backbone.stride[0]) // 4
    beside = torch.nn.functional.pad(image.float(), [quarter] * 4, mode="reflect").to(image.dtype)
    height, width = image.shape[-2:]
    torch.testing.assert_close(
        features(image)[..., 1::2, ::2], backbone(beside[..., 2 * quarter :, :width][..., :height, :])
    )


def test_the_finer_map_of_a_mirrored_image_is_mirrored(backbone, image):
    features = DenseFeatures(backbone, shifts=2)
    torch.testing.assert_close(features(image.flip(-1)), features(image).flip(-1), rtol=1e-4, atol=1e-5)


def test_no_shift_at_all_is_refused(backbone):
    with pytest.raises(ValueError, match="shifts"):
        DenseFeatures(backbone, shifts=0)


def test_scales_are_averaged_on_the_grid_of_the_largest(backbone, image):
    several = DenseFeatures(backbone, partial(STEGOHead, dim=5), scales=[1, 2.0])
    head = several.head
    fine, coarse = (DenseFeatures(backbone, lambda channels: head, scales=[scale])(image) for scale in (2.0, 1.0))
    assert fine.shape[-2:] == (6, 8) and coarse.shape[-2:] == (3, 4)
    grown = torch.nn.functional.interpolate(coarse, (6, 8), mode="bilinear", align_corners=False)
    torch.testing.assert_close(several(image), (fine + grown) / 2)
    assert torch.equal(DenseFeatures(backbone, lambda channels: head, scales=[2, 1])(image), several(image))


def test_the_scale_one_is_what_there_is_without_scales(backbone, image):
    head = STEGOHead(64, dim=5)
    plain, said = (DenseFeatures(backbone, lambda channels: head, **more) for more in ({}, {"scales": [1]}))
    assert torch.equal(plain(image), said(image))
    assert torch.equal(DenseFeatures(MeanColour(), flip=False, scales=[1.0])(image), MeanColour()(image))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"scales": []}, r"^scales: at least one, all positive, not \[\]"),
        ({"scales": [1, 0.0]}, r"^scales: at least one, all positive, not \[1, 0\.0\]"),
        ({"scales": [2, 1], "shifts": 2}, r"^shifts: 2 go with the scale 1 alone, not with scales \[2, 1\]"),
        ({"scales": [2], "shifts": 2}, "^shifts: 2 go"),
    ],
)
def test_wrong_scales_are_refused_in_one_line(backbone, more, words):
    with pytest.raises(ValueError, match=words) as error:
        DenseFeatures(backbone, **more)
    assert "\n" not in str(error.value)
