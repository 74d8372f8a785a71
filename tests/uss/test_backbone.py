from __future__ import annotations

import pytest
import timm
import torch
import torch.nn.functional as F
import yaml
from safetensors.torch import save_file
from torch import nn

from mars_pl.networks.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise
from mars_pl.uss.backbone import FrozenViT, blocks_at, enlarged_side
from tests.pipeline.tiny_run import REPOSITORY


def test_tokens_are_those_of_the_last_block_after_the_final_norm(backbone, image):
    tokens = backbone(image)
    every = backbone.network.forward_features(Normalise()(image))
    by_hand = every[:, backbone.network.num_prefix_tokens :].transpose(1, 2).reshape(2, 64, 3, 4)
    assert tokens.dtype == torch.float32
    assert torch.equal(tokens, by_hand)


@pytest.mark.parametrize(
    ("depths", "count", "blocks"),
    [([1.0], 12, [11]), ([0.58, 0.75], 12, [6, 8]), ([0.58, 0.75], 24, [13, 17]), ([0.75, 0.58], 4, [2, 1]),
     ([0.5, 0.6], 2, [0]), ([0.01], 3, [0])],
)  # fmt: skip
def test_depths_name_blocks_by_the_share_that_is_passed(depths, count, blocks):
    assert blocks_at(depths, count) == blocks


@pytest.mark.parametrize("depths", [[], [0.5, 0.0], [1.1]])
def test_a_depth_that_is_none_is_refused(depths):
    with pytest.raises(ValueError, match="depths: at least one"):
        FrozenViT("test_vit", depths=depths)


def test_tokens_of_several_blocks_stand_one_after_the_other(image):
    torch.manual_seed(0)
    three = {"depth": 3, "embed_dim": 64, "num_heads": 2}
    whole = FrozenViT("test_vit", model_kwargs=three, depths=[1.0, 1 / 3])
    cut = FrozenViT("test_vit", model_kwargs=three | {"depth": 1})
    state = {key: value for key, value in whole.network.state_dict().items() if key in cut.network.state_dict()}
    cut.network.load_state_dict(state)
    tokens = whole(image)
    assert whole.dim == 128 and tokens.shape == (2, 128, 3, 4) and tokens.is_contiguous()
    last = FrozenViT("test_vit", model_kwargs=three)
    last.load_state_dict(whole.state_dict())
    assert torch.equal(tokens[:, :64], last(image))
    assert torch.equal(tokens[:, 64:], cut(image)), "after the final norm, as the last one's are"


@pytest.mark.parametrize(
    ("side", "scale", "grid"), [((48, 64), 1.0, (3, 4)), ((49, 63), 1.0, (4, 4)), ((40, 64), 2.0, (5, 8))]
)
def test_sides_grow_to_the_next_multiple_of_the_patch(side, scale, grid):
    backbone = FrozenViT("test_vit", scale=scale)
    assert backbone(torch.zeros(1, 3, *side, dtype=torch.uint8)).shape == (1, backbone.dim, *grid)


@pytest.mark.parametrize(
    ("side", "scale", "patch", "wanted"),
    [(48, 1, 16, 48), (49, 1, 16, 64), (481, 0.5, 8, 240), (375, 1.5, 8, 568), (33, 0.5, 14, 28), (3, 0.2, 16, 16)],
)
def test_a_side_is_rounded_down_in_pixels_and_up_in_patches(side, scale, patch, wanted):
    assert enlarged_side(side, scale, patch) == wanted


def test_a_scale_of_one_call_comes_on_top_of_the_networks_own(image):
    torch.manual_seed(0)
    own, plain = FrozenViT("test_vit", scale=2.0), FrozenViT("test_vit")
    plain.load_state_dict(own.state_dict())
    assert torch.equal(plain(image, scale=2.0), own(image))
    assert torch.equal(own(image, scale=0.5), plain(image))


def test_a_scaled_image_is_stretched_as_a_whole(backbone, image):
    larger = FrozenViT("test_vit", scale=2.0)
    larger.load_state_dict(backbone.state_dict())
    stretched = F.interpolate(Normalise()(image), (96, 128), mode="bilinear", align_corners=False)
    expected = backbone.network.forward_features(stretched)[:, 1:].transpose(1, 2).reshape(2, 64, 6, 8)
    torch.testing.assert_close(larger(image), expected)


def test_it_never_learns(backbone, image):
    around = nn.Sequential(backbone).train()
    assert around.training
    assert not any(module.training for module in backbone.modules())
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert not around(image).requires_grad


def test_half_precision_weights_load_as_float32(tmp_path, backbone, image):
    path = tmp_path / "vit.safetensors"
    save_file({key: value.half() for key, value in backbone.network.state_dict().items()}, path)
    loaded = FrozenViT("test_vit", weights=str(path))
    for key, value in loaded.network.state_dict().items():
        assert torch.equal(value, backbone.network.state_dict()[key].half().float())
    assert loaded(image).dtype == torch.float32


def test_weights_of_another_network_are_refused(tmp_path, backbone):
    path = tmp_path / "vit.safetensors"
    state = backbone.network.state_dict()
    save_file({key: state[key] for key in list(state)[1:]}, path)
    with pytest.raises(ValueError, match=r"vit\.safetensors"):
        FrozenViT("test_vit", weights=str(path))


def test_two_sources_of_weights_are_refused():
    with pytest.raises(ValueError, match="not both"):
        FrozenViT("test_vit", weights="somewhere.safetensors", pretrained=True)


def test_a_scale_of_zero_is_refused():
    with pytest.raises(ValueError, match="scale"):
        FrozenViT("test_vit", scale=0)


def test_the_architecture_can_be_made_smaller():
    small = FrozenViT("test_vit", model_kwargs={"patch_size": 8, "depth": 1, "embed_dim": 32, "num_heads": 2})
    assert small(torch.zeros(1, 3, 24, 16, dtype=torch.uint8)).shape == (1, 32, 3, 2)


DINO = [
    ("vit_small_patch8_224.dino", 8, 1),
    ("vit_small_patch16_224.dino", 16, 1),
    ("vit_small_patch14_dinov2.lvd142m", 14, 1),
    ("vit_small_patch16_dinov3.lvd1689m", 16, 5),
]
"""Architecture, patch, and how many class and register tokens stand before the others."""


@pytest.mark.parametrize(("name", "patch", "prefix"), DINO)
def test_every_generation_of_dino_gives_its_final_tokens(name, patch, prefix):
    torch.manual_seed(0)
    vit = FrozenViT(name, model_kwargs={"depth": 2, "embed_dim": 48, "num_heads": 3})
    image = torch.randint(0, 256, (2, 3, 3 * patch, 5 * patch), dtype=torch.uint8)
    every = vit.network.forward_features(Normalise()(image))
    by_hand = every[:, prefix:].transpose(1, 2).reshape(2, 48, 3, 5)
    assert vit.patch == vit.stride == (patch, patch)
    torch.testing.assert_close(vit(image), by_hand)
    assert vit(image[..., :-1, :-1]).shape == (2, 48, 3, 5)
    assert (by_hand.mean(1).abs().max() < 1e-5) and (vit.dim == 48), "the norm is the last thing that happens"


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "configs/backbone").glob("*dino*.yaml")), ids=lambda path: path.stem
)
def test_the_shipped_names_are_those_of_weights_that_timm_knows(path):
    name = yaml.safe_load(path.read_text())["init_args"]["name"]
    weights = timm.get_pretrained_cfg(name)
    assert weights.tag == name.split(".")[1] and weights.hf_hub_id
    assert (tuple(weights.mean), tuple(weights.std)) == (IMAGENET_MEAN, IMAGENET_STD)
