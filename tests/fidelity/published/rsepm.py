"""RS+EPM in our own words and in float64: network, inference and self-correlation as published, the rest as ours says.

shjo-april/RecurSeed_and_EdgePredictMix: core/networks.py, core/layers.py, infer_rsepm.py, core/inferences.py (4fbc05c).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

UNSURE = 255


def block(x, layer, dilation=1):
    """layers.ConvBlock: convolution, batch norm in evaluation, ReLU."""
    weight = layer[0].weight
    y = F.conv2d(x, weight, padding=dilation * (weight.shape[-1] // 2), dilation=dilation)
    norm = layer[1]
    y = (y - norm.running_mean[:, None, None]) / (norm.running_var[:, None, None] + norm.eps).sqrt()
    return (y * norm.weight[:, None, None] + norm.bias[:, None, None]).clamp(min=0)


def bilinear(maps, size):
    return F.interpolate(maps, tuple(size), mode="bilinear", align_corners=False)


def outputs(net, x):
    """networks.RSEPM.forward of normalised x: last features, class maps, segmentation logits at 1/4."""
    low, last = net.encoder(x)
    class_maps = F.conv2d(last, net.classifier.weight)
    maps = [block(last, branch, d) for branch, d in zip(net.aspp.branches, (1, 6, 12, 18), strict=True)]
    pooled = block(last.mean((2, 3), keepdim=True), net.aspp.pooling[1])
    maps.append(bilinear(pooled, last.shape[-2:]))
    context = block(torch.cat(maps, 1), net.aspp.project[0])
    joined = torch.cat([bilinear(context, low.shape[-2:]), block(low, net.low_level)], 1)
    decoded = block(block(joined, net.decoder[0]), net.decoder[2])
    return last, class_maps, F.conv2d(decoded, net.decoder[4].weight, padding=1)


def scores_of(net, image, present, scales):
    """infer_rsepm.py, interpolation nearest: scores (K, H, W) of 0-based classes, of a normalised image (3, H, W)."""
    height, width = image.shape[-2:]
    views = []
    for scale in scales:
        size = (int(height * scale), int(width * scale))
        x = bilinear(image[None], size) if size != (height, width) else image[None]
        for mirrored in (False, True):
            logits = outputs(net, x.flip(-1) if mirrored else x)[2]
            chances = F.interpolate(logits, size, mode="nearest").softmax(1)
            first = (int(height * scales[0]), int(width * scales[0]))
            chances = F.interpolate(chances, first, mode="nearest")
            views.append(chances.flip(-1) if mirrored else chances)
    mean = bilinear(torch.cat(views).mean(0, keepdim=True), (height, width))[0, 1:]
    return torch.stack([mean[c] / (mean[c].max() + 1e-5) for c in present])


def stretch(values):
    return (values - values.min()) / (values.max() - values.min() + 1e-10)


def guided(cam, features, first=0.5, second=0.1, foreground=0.3, background=0.05):
    """inferences.SCG of one image: cam (C, h, w) and features (D, h, w)."""
    count = features[0].numel()
    cells = features.flatten(1)
    unit = cells / (cells.norm(dim=0) + 1e-10)
    cosine = (unit.T @ unit).clamp(min=0)
    cosine[cosine < first] = 0
    once = cosine / (cosine.sum(0) + 1e-10)
    cosine.fill_diagonal_(0)
    others = cosine / (cosine.sum(0) + 1e-10)
    twice = others @ others
    twice = twice / (twice.sum(0) + 1e-10)
    twice[twice < second / count] = 0
    both = torch.maximum(once, twice)
    both = both / (both.sum(0) + 1e-10)
    found = []
    for maps in cam.flatten(1):
        near = far = torch.zeros(count, dtype=torch.float64)
        seeds, strangers = (maps >= foreground).nonzero()[:, 0], (maps <= background).nonzero()[:, 0]
        if len(seeds):
            near = stretch(torch.stack([stretch(both[:, i]) for i in seeds]).sum(0))
        if len(strangers):
            far = stretch(torch.stack([stretch(both[:, i]) for i in strangers]).sum(0))
        found.append(stretch((near - far).clamp(min=0)))
    return torch.stack(found).view_as(cam)


def seeds_of(scores, features, size, valid, certain=0.55, uncertain=0.1):
    """Ours, without refinement: the mean of the scores and the guided scores, between two thresholds."""
    labels = []
    for maps, cells, inside in zip(scores, features, valid, strict=True):
        small = bilinear(maps[None], cells.shape[-2:])[0]
        mean = (bilinear(maps[None], size) + bilinear(guided(small, cells)[None], size))[0] / 2
        label = torch.full(size, UNSURE)
        for y in range(size[0]):
            for x in range(size[1]):
                best = float(mean[:, y, x].max())
                if best <= uncertain:
                    label[y, x] = 0
                elif best >= certain:
                    label[y, x] = int(mean[:, y, x].argmax()) + 1
        labels.append(torch.where(inside, label, UNSURE))
    return torch.stack(labels)


def training_loss(net, teacher, x, classes, valid, recursive):
    """Ours: soft-margin loss, and cross entropy on the seeds of the teacher's maps, or of its decoder."""
    with torch.no_grad():
        last, class_maps, logits = outputs(teacher, x)
        if recursive:
            present = torch.cat([torch.ones_like(classes[:, :1]), classes], 1)[:, :, None, None] > 0
            scores = torch.where(present, logits, torch.tensor(-torch.inf)).softmax(1)[:, 1:]
        else:
            rectified = class_maps.clamp(min=0)
            scores = rectified / (rectified.amax((2, 3), keepdim=True) + 1e-5) * classes[:, :, None, None]
        label = seeds_of(scores, last, tuple(x.shape[-2:]), valid)
    _, class_maps, logits = outputs(net, x)
    said = class_maps.mean((2, 3))
    classification = -(classes * F.logsigmoid(said) + (1 - classes) * F.logsigmoid(-said)).mean()
    chances = bilinear(logits, x.shape[-2:]).log_softmax(1)
    sure = label != UNSURE
    chosen = chances.gather(1, torch.where(sure, label, 0)[:, None])[:, 0]
    return classification - (chosen * sure).sum() / sure.sum(), label
