"""From a teacher's logits to the student's gradient (MARS §3.4, Eq. 6–7) in float64, with pydensecrf itself."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from callbacks.ema_teacher import EMATeacher
from callbacks.writing.segmentation_file import write_segmentation
from datamodules.files.labels import read_label
from mars_pl.refine.dense_crf import DenseCRF
from mars_pl.segment.complement import Complement
from mars_pl.segment.inference import competing, drop_improbable
from mars_pl.segment.segmentation_module import SegmentationModule
from mars_pl.training.moving_average import ema_update

densecrf = pytest.importorskip("pydensecrf.densecrf")

CLASSES, BIASED, IGNORED, HEIGHT, WIDTH = 5, 254, 255, 24, 32


def crf(image, chances):
    """DHR's (core/refinements/densecrf.py): ten steps, 3 of reach 1, 4 of reach 67 and 3 grey levels."""
    number, height, width = chances.shape
    model = densecrf.DenseCRF2D(width, height, number)
    unary = -np.log(np.clip(chances, 1e-5, 1.0))
    model.setUnaryEnergy(np.ascontiguousarray(unary.reshape(number, -1), dtype=np.float32))
    model.addPairwiseGaussian(sxy=1, compat=3)
    model.addPairwiseBilateral(sxy=67, srgb=3, rgbim=np.ascontiguousarray(image), compat=4)
    return np.array(model.inference(10)).reshape(number, height, width)


def teacher_mask(image, softmax, classes, box):
    """Yᵗᵉ of one image: its classes and background share each pixel, inside the box where it was not padded."""
    possible = [0, *(index + 1 for index in range(CLASSES - 1) if classes[index])]
    chances = softmax[possible] / softmax[possible].sum(axis=0)
    top, bottom, left, right = box
    if len(possible) > 1:
        inside = (slice(None), slice(top, bottom), slice(left, right))
        chances[inside] = crf(image[top:bottom, left:right], chances[inside])
    return np.array(possible)[chances.argmax(axis=0)], possible[1:]


def complemented(images, logits, label, classes, boxes, size):
    """Yᶜᵒ and W of a batch, in loops over its images and pixels."""
    filled, weight = label.copy(), np.ones(label.shape)
    softmax = F.interpolate(logits.double(), size, mode="bilinear", align_corners=False).softmax(dim=1).numpy()
    for index in range(len(label)):
        if BIASED not in label[index]:
            continue
        mask, own = teacher_mask(images[index], softmax[index], classes[index], boxes[index])
        for y in range(size[0]):
            for x in range(size[1]):
                if label[index, y, x] == BIASED:
                    filled[index, y, x] = mask[y, x]
                    weight[index, y, x] = max((softmax[index, code, y, x] for code in own), default=0.0)
    return filled, weight


def loss_and_gradient(logits, label, weight):
    """Eq. 7 over the pixels that are not ignored, and its derivative by the logits: W (softmax − one) / N."""
    softmax = logits.double().softmax(dim=1).numpy()
    total, gradient = 0.0, np.zeros(softmax.shape)
    counted = int((label != IGNORED).sum())
    for index, y, x in np.argwhere(label != IGNORED):
        one = label[index, y, x]
        total -= weight[index, y, x] * np.log(softmax[index, one, y, x]) / counted
        gradient[index, :, y, x] = weight[index, y, x] * softmax[index, :, y, x] / counted
        gradient[index, one, y, x] -= weight[index, y, x] / counted
    return total, gradient


class Student(nn.Module):
    """Logits of each pixel's colour, so that their gradient is that of its weights."""

    def __init__(self):
        super().__init__()
        self.classify = nn.Conv2d(3, CLASSES, 1)

    def forward(self, image):
        self.logits = self.classify(image.float() / 255)
        if self.logits.requires_grad:
            self.logits.retain_grad()
        return self.logits


class Teacher(nn.Module):
    """Says what it was given, on a coarser grid."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def forward(self, image):
        return self.logits


def batch():
    """Three crops: two with biased pixels, of which one was padded, and one without."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(60, 120, (3, 3, HEIGHT, WIDTH), dtype=torch.uint8, generator=generator)
    image[:, 0, 6:18, 8:20] += 110
    label = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.int64)
    label[:, 6:18, 8:20], label[:2, 10:22, 4:16], label[:, :3] = 2, BIASED, IGNORED
    valid = torch.ones(3, HEIGHT, WIDTH, dtype=torch.bool)
    valid[1, :, 26:], valid[1, 20:] = False, False
    label[~valid] = IGNORED
    classes = torch.tensor([[0, 1, 0, 1], [0, 1, 0, 0], [0, 1, 0, 0]]).float()
    logits = 2 * torch.randn(3, CLASSES, 6, 8, generator=generator)
    logits[:, 2, 2:5, 2:5] += 3
    logits[:, 1] += 1.5  # a class that no image has
    return {"id": ["a", "b", "c"], "image": image, "label": label, "classes": classes, "valid": valid}, logits


BOXES = [(0, HEIGHT, 0, WIDTH), (0, 20, 0, 26), (0, HEIGHT, 0, WIDTH)]


def test_from_the_teachers_logits_to_loss_and_gradient():
    items, teacher = batch()
    module = SegmentationModule(lambda _: Student(), CLASSES, IGNORED, BIASED, complement=Complement(refine=DenseCRF()))
    module.log = module.log_dict = lambda *values, **options: None
    module.teacher = Teacher(teacher)
    loss = module.training_step(items, 0)
    loss.backward()
    pixels = items["image"].permute(0, 2, 3, 1).numpy()
    filled, weight = complemented(
        pixels, teacher, items["label"].numpy(), items["classes"].numpy(), BOXES, (HEIGHT, WIDTH)
    )
    biased = items["label"].numpy() == BIASED
    assert {0, 2} <= set(filled[biased].tolist()) and 0 < weight[biased].min() < weight[biased].max() < 1
    label, certain = module._target(items)
    assert np.array_equal(label.numpy(), filled)
    assert np.abs(certain.numpy() - weight).max() < 1e-6
    expected, gradient = loss_and_gradient(module.network.logits.detach(), filled, weight)
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    found = module.network.logits.grad.numpy()
    assert np.abs(found - gradient).max() < 1e-6 * np.abs(gradient).max()
    colours = items["image"].double().numpy() / 255
    weights = np.einsum("bkhw,bchw->kc", gradient, colours)
    assert np.abs(module.network.classify.weight.grad[..., 0, 0].numpy() - weights).max() < 1e-6


def test_the_final_teachers_complemented_label_as_a_file(tmp_path):
    items, teacher = batch()
    label, classes, image = items["label"][0], items["classes"][0], items["image"][0]
    softmax = F.interpolate(teacher[:1], (HEIGHT, WIDTH), mode="bilinear", align_corners=False).softmax(1)[0]
    codes = competing(softmax, classes)
    write_segmentation(tmp_path / "a.png", image, softmax[codes], codes, CLASSES, label.numpy(), DenseCRF(), fill=True)
    mask, _ = teacher_mask(image.permute(1, 2, 0).numpy(), softmax.double().numpy(), classes.numpy(), BOXES[0])
    expected = np.where(label.numpy() == BIASED, mask, label.numpy())
    assert np.array_equal(read_label(tmp_path / "a.png"), expected)


def test_the_mask_of_an_image_as_dhr_cuts_and_refines_it(tmp_path):
    """produce_wss_masks.py: classes whose highest probability is above .05, refined as they are, and their argmax."""
    _, teacher = batch()
    image = batch()[0]["image"][0]
    teacher[:, 3] -= 9
    softmax = F.interpolate(teacher[:1], (HEIGHT, WIDTH), mode="bilinear", align_corners=False).softmax(1)[0]
    kept = [code for code in range(CLASSES) if softmax[code].double().numpy().max() > 0.05]
    assert kept == [0, 1, 2, 4]
    refined = crf(image.permute(1, 2, 0).numpy(), softmax.double().numpy()[kept])
    probabilities = drop_improbable(softmax[None])[0]
    codes = competing(probabilities, None)
    write_segmentation(tmp_path / "a.png", image, probabilities[codes], codes, CLASSES, None, DenseCRF())
    assert np.array_equal(read_label(tmp_path / "a.png"), np.array(kept)[refined.argmax(axis=0)])


def test_the_moving_average_of_every_float_and_its_ramp():
    """DHR's v · d + (1 − d) · w (tools/torch_utils.py). Its d is .999 from the first step; ours gets there in 999."""
    torch.manual_seed(0)
    teacher, student = (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)) for _ in range(2))
    for network in (teacher, student):
        nn.init.normal_(network[1].running_mean)
    expected = {key: value.double().clone() for key, value in teacher.state_dict().items()}
    for _ in range(50):
        ema_update(teacher, student, 0.999)
        for key, value in student.state_dict().items():
            if value.is_floating_point():
                expected[key] = expected[key] * 0.999 + (1 - 0.999) * value.double()
    for key, value in teacher.state_dict().items():
        if value.is_floating_point():
            assert (value - expected[key]).abs().max() < 1e-6
    ours = [EMATeacher(0.999).kept_at(step) for step in (1, 998, 999, 5000)]
    assert ours == pytest.approx([0.5, 0.998999, 0.999, 0.999], abs=1e-6)
