"""STEGO beside its published code in float64: image to code, batch to step, crops to neighbours, image to map."""

from copy import deepcopy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from datamodules.datasets.five_crops import FiveCrops
from mars_pl.debias.similarity import debiased_map
from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.dense_features import DenseFeatures
from mars_pl.uss.stego.head import STEGOHead
from mars_pl.uss.stego.loss import draw_random_negatives
from mars_pl.uss.stego.neighbours import nearest_neighbours
from mars_pl.uss.stego.stego_module import STEGOModule
from mars_pl.uss.stego.token_module import TokenModule
from tests.fidelity.published import stego

DEPTH, HEADS, PATCH, SIDE = 2, 3, 8, 64
BLOCK = (0.1, 1.0, 0.1538), (0.12, 0.20, 1.0)  # self, neighbours, random: train_config.yml, "Cocostuff27 10/3 vit_base"


@pytest.fixture
def vit():
    torch.manual_seed(0)
    sizes = {"depth": DEPTH, "embed_dim": 48, "num_heads": HEADS, "img_size": SIDE}
    backbone = FrozenViT("vit_small_patch8_224.dino", model_kwargs=sizes)
    with torch.no_grad():
        for parameter in backbone.parameters():  # biases and positions start at or near 0, where an error hides
            parameter += 0.1 * torch.randn_like(parameter)
    return backbone


def images(count, height=SIDE, width=SIDE):
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, 3, 4, 4, generator=generator) * 255
    return F.interpolate(coarse, (height, width), mode="bilinear").to(torch.uint8)


def relative(found, wanted):
    return float((found.double() - wanted).abs().max() / wanted.abs().max())


def test_image_to_code(vit):
    """Row "network": 1e-5 of the largest value."""
    features = DenseFeatures(vit, partial(STEGOHead, dim=7), flip=False)
    weights = {name: value.double() for name, value in features.head.state_dict().items()}
    tokens = stego.vision_transformer(vit.network.state_dict(), images(3), DEPTH, HEADS, PATCH)
    assert relative(vit(images(3)), tokens) < 1e-5
    assert relative(features(images(3)), stego.head(weights, tokens)) < 1e-5


class NoBackbone(nn.Module):
    dim = 16


def a_batch():
    generator = torch.Generator().manual_seed(2)
    shared = torch.randn(5, 16, 1, 1, generator=generator)
    noise = torch.randn(2, 5, 16, 6, 7, generator=generator)
    return {"tokens": shared + noise[0], "positive_tokens": shared + noise[1]}


def published_loss(weights, batch):
    """The loss of a step, with what the generator gives in the order in which our step draws."""
    tokens, positive = batch["tokens"].double(), batch["positive_tokens"].double()
    noise = [torch.empty(5, 16, 1, 1).bernoulli_(0.9).double() / 0.9 for _ in range(6)]
    first, second = (2 * torch.rand(5, 11, 11, 2).double() - 1 for _ in range(2))
    partners = []
    for _ in range(5):
        cycle, partner = torch.randperm(5).tolist(), [0] * 5
        for place, image in enumerate(cycle):
            partner[image] = cycle[(place + 1) % 5]
        partners.append(partner)
    code = stego.head(weights, tokens, noise[1], noise[2])
    positive_code = stego.head(weights, positive, noise[4], noise[5])
    return stego.contrastive_loss(
        tokens * noise[0], positive * noise[3], code, positive_code, first, second, partners, *BLOCK
    )


@pytest.fixture
def module():
    torch.manual_seed(0)
    module = STEGOModule(partial(STEGOHead, dim=6), NoBackbone())
    module.log_dict = lambda *_, **__: None
    return module.train()


def test_batch_to_loss_and_gradient(module):
    """Row "loss": 1e-6, gradients to 1e-5 of the largest."""
    weights = {name: value.detach().double().requires_grad_() for name, value in module.head.named_parameters()}
    torch.manual_seed(4)
    loss = module.training_step(a_batch(), 0)
    loss.backward()
    torch.manual_seed(4)
    wanted = published_loss(weights, a_batch())
    wanted.backward()
    assert abs(loss.item() - wanted.item()) < 1e-6
    for name, parameter in module.head.named_parameters():
        assert relative(parameter.grad, weights[name].grad) < 1e-5, name


def test_steps_of_adam(module):
    """Row "optimiser": Adam of rate 5e-4, without decay or schedule; three steps to 2e-6."""
    weights = {name: value.detach().double() for name, value in module.head.named_parameters()}
    moments = {name: (torch.zeros_like(value), torch.zeros_like(value)) for name, value in weights.items()}
    optimizer = module.configure_optimizers()
    torch.manual_seed(4)
    for _ in range(3):
        optimizer.zero_grad()
        module.training_step(a_batch(), 0).backward()
        optimizer.step()
    torch.manual_seed(4)
    for step in (1, 2, 3):
        learnt = {name: value.clone().requires_grad_() for name, value in weights.items()}
        published_loss(learnt, a_batch()).backward()
        for name, value in learnt.items():
            mean, square = (
                old * share + (1 - share) * new
                for old, share, new in zip(moments[name], (0.9, 0.999), (value.grad, value.grad**2), strict=True)
            )
            moments[name] = mean, square
            corrected = mean / (1 - 0.9**step) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
            weights[name] = weights[name] - 5e-4 * corrected
    for name, parameter in module.head.named_parameters():
        assert (parameter.detach().double() - weights[name]).abs().max() < 2e-6, name


def test_random_negatives_deviate():
    """Row "random negatives": STEGO moves fixed points by one; ours meets every image once."""
    twice = 0
    for seed in range(50):
        torch.manual_seed(seed)
        permutation = torch.randperm(8)
        permutation[permutation == torch.arange(8)] += 1
        published = permutation % 8
        torch.manual_seed(seed)
        ours = draw_random_negatives(8)
        assert not (published == torch.arange(8)).any() and not (ours == torch.arange(8)).any()
        assert len(ours.unique()) == 8
        twice += len(published.unique()) < 8
    assert twice / 50 > 0.3, "of those batches some image is met twice, another not at all"


def test_crops_to_neighbours(vit):
    """Row "neighbours": the same 30 of each, in the same order, of the same crops and without dropout."""
    batch = images(40) // 2 + torch.randint(0, 128, (40, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(3))
    batch = batch.to(torch.uint8)
    found = TokenModule(vit).predict_step({"id": [str(place) for place in range(40)], "image": batch}, 0)
    tokens = stego.vision_transformer(vit.network.state_dict(), batch, DEPTH, HEADS, PATCH)
    assert nearest_neighbours(found["pooled"], 30).tolist() == stego.nearest(tokens, 30).tolist()


def test_boxes_of_the_five_crops():
    """Row "crops": equal boxes; the resizing deviates, see the row."""
    crops = FiveCrops(tree=None, ids=["a"], size=20)
    image = torch.stack([torch.arange(41).view(-1, 1).expand(41, 60), torch.arange(60).expand(41, 60)]).to(torch.uint8)
    height, width = int(41 * 0.5), int(60 * 0.5)
    middle = round((41 - height) / 2), round((60 - width) / 2)
    corners = [(0, 0), (0, 60 - width), (41 - height, 0), (41 - height, 60 - width), middle]
    for k, (top, left) in enumerate(corners):
        aside = round((width - 20) / 2)  # the short side is 20 already: only the middle of the long one is cut
        wanted = image[:, top : top + height, left + aside : left + aside + 20]
        assert torch.equal(crops._cut(image, k), wanted), k


SIZE = 45, 61


@pytest.mark.parametrize("scales", [[1.0], [2.0, 1.0, 1.5, 0.5]])
def test_image_to_features_and_their_map(vit, scales):
    """Row "features": 1e-5 of the largest value at one scale and at DHR's four, sides no multiples; map 1e-5."""
    features = DenseFeatures(vit, partial(STEGOHead, dim=7), scales=scales)
    weights = {name: value.double() for name, value in features.head.state_dict().items()}
    transformer = deepcopy(vit.network).double()

    def network(pixels):
        tokens = transformer.forward_features(pixels)[:, 1:].transpose(1, 2)
        return stego.head(weights, tokens.unflatten(2, [side // PATCH for side in pixels.shape[-2:]]))

    (image,) = images(1, *SIZE)
    found, wanted = features(image[None])[0], stego.inference(network, image, PATCH, scales)
    assert found.shape == wanted.shape == (7, *(-(-int(side * scales[0]) // PATCH) for side in SIZE))
    assert relative(found, wanted) < 1e-5
    # eval_segmentation.py brings the code to the image's size bilinearly; the cosine there is Eq. 4's
    centroids = torch.randn(2, 7, generator=torch.Generator().manual_seed(5))
    grown = F.interpolate(wanted[None], SIZE, mode="bilinear", align_corners=False)[0].flatten(1)
    cosines = (centroids.double() @ grown) / centroids.double().norm(dim=1, keepdim=True) / grown.norm(dim=0)
    assert (debiased_map(found, centroids, SIZE) - cosines.amax(0).clamp(min=0).view(SIZE)).abs().max() < 1e-5
