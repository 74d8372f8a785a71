"""Leopart beside its published code, written out in tests/fidelity/published/leopart.py (docs/fidelity.md)."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter
from torch.utils.data import DataLoader
from torchvision.transforms import functional as published_transforms

from datamodules.datasets.multi_crops import MultiCrop
from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.dense_features import DenseFeatures
from mars_pl.uss.leopart.clustering_loss import clustering_loss
from mars_pl.uss.leopart.head import LeopartHead
from mars_pl.uss.leopart.leopart_module import LeopartModule
from mars_pl.uss.leopart.network import LeopartNetwork
from tests.fakes.quiet_trainer import quiet_trainer
from tests.fidelity.published import crops, dino, leopart

HEADS = 3
SMALL = {"depth": 3, "embed_dim": 48, "num_heads": HEADS}
SMALL_HEAD = partial(LeopartHead, dim=8, hidden=16, prototypes=12)


def vit(seed=0, **kwargs):
    """DINO's architecture, small, with positions and biases that are not zero."""
    torch.manual_seed(seed)
    backbone = FrozenViT("vit_small_patch16_224.dino", model_kwargs=SMALL | kwargs)
    for name, value in backbone.network.named_parameters():
        value.data += 0.1 * torch.randn_like(value) if value.ndim == 1 else 0
        value.data *= 20 if name == "pos_embed" else 3 if "qkv.weight" in name else 1
    return backbone


def names(network):
    """A LeopartNetwork's weights under the names of the transcription: transformer and head side by side."""
    state = network.vit.state_dict() | network.head.state_dict()
    return {name: value.double() for name, value in state.items()}


def random_image(*shape, seed=1):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [224, 96, 320])
def test_crops_of_every_size_to_vectors_scores_and_attention(size):
    network = LeopartNetwork(vit(), SMALL_HEAD(48)).double().eval()
    image = random_image(2, 3, size, size)
    vectors, attention = network.with_attention(image)
    state = names(network)
    tokens, expected = dino.transformer(state, dino.normalised(image), HEADS)
    wanted = leopart.embed(state, tokens)
    torch.testing.assert_close(vectors.movedim(1, -1), wanted, rtol=0, atol=1e-6)
    torch.testing.assert_close(attention, expected.mean(1), rtol=0, atol=1e-7)
    scores = wanted @ state["prototypes.weight"].T
    torch.testing.assert_close(network.scores(vectors).movedim(1, -1), scores, rtol=0, atol=1e-6)


def test_a_whole_image_to_features():
    """No head; the sides go up to multiples of the patch, and the mirrored image has its part."""
    backbone = vit()
    image = random_image(1, 3, 250, 333)
    found = DenseFeatures(backbone.double())(image)
    state = {name: value.double() for name, value in backbone.network.state_dict().items()}
    expected = 0
    for mirrored in (False, True):
        shown = image.flip(-1) if mirrored else image
        stretched = F.interpolate(dino.normalised(shown), (256, 336), mode="bilinear", align_corners=False)
        tokens = dino.transformer(state, stretched, HEADS)[0].movedim(-1, 1)
        expected = expected + (tokens.flip(-1) if mirrored else tokens) / 2
    assert found.shape == (1, 48, 16, 21)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def boxes_of(count, seed=0):
    """Boxes as images of 375 × 500 pixels get them."""
    torch.manual_seed(seed)
    crop, image = MultiCrop(16, 16), torch.zeros(3, 375, 500, dtype=torch.uint8)
    return torch.stack([crop(image)[2] for _ in range(count)])


def test_the_loss_counts_the_places_that_the_published_mask_counts():
    """In single precision, where the mask is 1 but for rounding at some places; sides as published."""
    generator = torch.Generator().manual_seed(2)
    count, boxes, sizes = 4, boxes_of(4), [224, 224, 96, 96, 96, 96]
    assignments = torch.rand(2, count, 14, 14, 9, generator=generator).mul(8).softmax(-1)
    masks = F.max_pool2d((torch.rand(2, count, 14, 14, generator=generator) < 0.2).float(), 3, 1, 1).bool()
    predictions = [torch.rand(count, size // 16, size // 16, 9, generator=generator).requires_grad_() for size in sizes]
    wanted = leopart.spatial_loss(assignments, masks, predictions, boxes, sizes, 16)
    found = clustering_loss(assignments.movedim(-1, 2), masks, [said.movedim(-1, 1) for said in predictions], boxes)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-6)
    ours, theirs = (torch.autograd.grad(loss, predictions) for loss in (found, wanted))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)


class Watched(LeopartModule):
    """Keeps each step's loss, the last gradients, and the settings that a step is taken with."""

    def on_train_start(self):
        self.losses, self.taken = [], []

    def on_train_batch_end(self, outputs, batch, batch_idx):
        self.losses.append(float(outputs["loss"]))

    def on_before_optimizer_step(self, optimizer):
        super().on_before_optimizer_step(optimizer)
        self.gradients = {name: value.grad.clone() for name, value in self.network.named_parameters()}
        rates = [(group["lr"], group["weight_decay"]) for group in optimizer.param_groups]
        self.taken.append((rates, float(self.trainer.callback_metrics["teacher/momentum"])))


BATCH, STEPS = 3, 5


def batches():
    generator = torch.Generator().manual_seed(5)
    boxes = boxes_of(BATCH * STEPS)
    return [
        {
            "id": str(index),
            "global_crops": torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=generator),
            "local_crops": torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8, generator=generator),
            "crop_boxes": boxes[index],
        }
        for index in range(BATCH * STEPS)
    ]


@pytest.fixture
def fitted(monkeypatch):
    """The real module after five steps in double precision, the transcription after the same, and both losses."""
    monkeypatch.setattr(torch, "randperm", lambda count, **_: torch.arange(count - 1, -1, -1))
    settings = {"lr": 1e-3, "head_lr": 5e-3, "weight_decay": (0.04, 0.5), "momentum": 0.9}
    module = Watched(vit(img_size=80, patch_size=8), SMALL_HEAD, queue=40, drop_path=0.0, **settings)
    for network in (module.double().network, module.teacher.network):  # of single precision's constants, 1e-7
        network.normalise.mean, network.normalise.std = 255 * dino.MEAN, 255 * dino.STD
    fit = leopart.Fit(names(module.network), names(module.teacher.network), HEADS, 40, STEPS, **settings)
    items = batches()
    quiet_trainer(max_epochs=1, precision="64-true").fit(module, DataLoader(items, batch_size=BATCH))
    losses = []
    for batch in DataLoader(items, batch_size=BATCH):
        large, small = batch["global_crops"].unbind(1), batch["local_crops"].unbind(1)
        losses.append(fit.step(large, small, batch["crop_boxes"]))
    return module, fit, losses


def test_training_steps_of_batch_to_loss_gradient_student_teacher_and_queue(fitted):
    module, fit, losses = fitted
    assert int(module.queues[0].stored) > 2 * 40, "the last steps had a full queue"
    assert module.losses == pytest.approx(losses, rel=1e-10)
    for name, value in module.gradients.items():
        expected = fit.gradients[name.split(".", 1)[1]]
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-9 * float(expected.abs().max()), msg=name)
    for ours, theirs in ((module.network, fit.student), (module.teacher.network, fit.teacher)):
        for name, value in names(ours).items():
            torch.testing.assert_close(value, theirs[name].detach(), rtol=0, atol=1e-8, msg=name)
    for queue, expected in zip(module.queues, fit.queue, strict=True):
        torch.testing.assert_close(queue.vectors, expected, rtol=0, atol=1e-9)


def test_rates_weight_decay_and_momentum_of_every_step(fitted):
    """torch's cosine annealing, as published, and the published arrays."""
    module, _, _ = fitted
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": rate} for rate in (1e-3, 5e-3)])
    annealing = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS, eta_min=0.0)
    decay = leopart.cosine_values(0.04, 0.5, STEPS)
    momentum = leopart.cosine_values(0.9, 1.0, STEPS)
    assert len(module.taken) == STEPS
    for step, (groups, moved) in enumerate(module.taken):
        backbone, head = (group["lr"] for group in optimizer.param_groups)
        wanted = [(backbone, decay[step]), (backbone, 0), (head, decay[step]), (head, 0)]
        assert groups == [pytest.approx(group, rel=1e-9) for group in wanted]
        assert moved == pytest.approx(momentum[step], rel=1e-6)
        optimizer.step()
        annealing.step()


def smooth_picture(width, height):
    rows = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    return Image.fromarray(rows).resize((width, height), Image.Resampling.BICUBIC)


def test_crops_are_drawn_where_the_published_ones_are_and_read_alike():
    picture = smooth_picture(333, 251)
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    crop = MultiCrop(64, 32)
    crop.colours = torch.nn.Identity()
    for seed in range(20):
        torch.manual_seed(seed)
        large, small, boxes = crop(image)
        torch.manual_seed(seed)
        assert boxes.tolist() == crops.drawn_boxes(picture, 6)
        for found, (left, top, right, bottom) in zip([*large, *small], boxes.int().tolist(), strict=True):
            size = [found.shape[-1]] * 2
            cut = published_transforms.resized_crop(picture, top, left, bottom - top, right - left, size)
            assert levels(found, cut)[0] <= 1


def levels(found, wanted):
    """Largest and mean difference of a tensor and a picture, in levels of 256."""
    wanted = np.array(wanted.convert("RGB")).astype(int)
    difference = np.abs(found.expand(3, -1, -1).permute(1, 2, 0).numpy().astype(int) - wanted)
    return difference.max(), difference.mean()


def test_colours_change_as_published_within_some_levels():
    """The published ones are Pillow's: its blur is three box blurs, its hue a byte."""
    jitter, grey, blur = MultiCrop().colours.transforms
    (colours,) = jitter.transforms
    assert (jitter.p, grey.p, blur.p) == (0.8, 0.2, 0.5)
    ranges = {"brightness": (0.2, 1.8), "contrast": (0.2, 1.8), "saturation": (0.2, 1.8), "hue": (-0.2, 0.2)}
    assert all(getattr(colours, name) == pytest.approx(pair) for name, pair in ranges.items())
    assert tuple(blur.transforms[0].sigma) == (0.1, 2.0)
    picture = smooth_picture(96, 96)
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    most = {"brightness": 0, "contrast": 1, "saturation": 1, "hue": 10}
    for name, factors in ranges.items():
        for factor in factors:
            given = dict.fromkeys([f"{other}_factor" for other in ranges]) | {f"{name}_factor": factor}
            found = colours.transform(image, given | {"fn_idx": torch.arange(4)})
            largest, mean = levels(found, getattr(published_transforms, f"adjust_{name}")(picture, factor))
            assert largest <= most[name] and mean <= 1, name
    assert levels(grey.transform(image, {"num_input_channels": 3}), picture.convert("L"))[0] <= 1
    for sigma in (0.2, 0.5, 1.0, 2.0):
        found = blur.transforms[0].transform(image, {"sigma": [sigma, sigma]})
        largest, mean = levels(found, picture.filter(ImageFilter.GaussianBlur(sigma)))
        assert largest <= 4 and mean < 1, sigma
