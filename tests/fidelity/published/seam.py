"""What YudeWang/SEAM computes, in our own words and in float64: maps, losses, scores, confident labels."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalised(image):
    """resnet38d.Normalize: (H, W, 3) in 0…255 → (1, 3, H, W)."""
    planes = [(torch.as_tensor(image[..., c]).double() / 255 - MEAN[c]) / STD[c] for c in range(3)]
    return torch.stack(planes)[None]


def corners(maps, size):
    return F.interpolate(maps, size, mode="bilinear", align_corners=True)


def maps_of(net, x):
    """resnet38_SEAM.Net.forward without dropout: raw and corrected maps at the size of x (1 or more, 3, H, W)."""
    shallow, deep, last = net.backbone(x)
    cam = F.conv2d(last, net.classifier.weight)
    batch, channels, h, w = cam.shape
    with torch.no_grad():
        seeds = torch.zeros_like(cam)
        for b in range(batch):
            for c in range(1, channels):
                positive = cam[b, c].clamp(min=0)
                seeds[b, c] = (positive - 1e-5).clamp(min=0) / (positive.max() + 1e-5)
            strongest = seeds[b, 1:].max(0).values
            for c in range(1, channels):
                seeds[b, c][seeds[b, c] < strongest] = 0
            seeds[b, 0] = 1 - strongest
    pcm = net.pixel_correlation
    parts = [
        corners(x, (h, w)),
        F.conv2d(shallow.detach(), pcm.shallow.weight).clamp(min=0),
        F.conv2d(deep.detach(), pcm.deep.weight).clamp(min=0),
    ]
    f = F.conv2d(torch.cat(parts, 1), pcm.embed.weight).reshape(batch, -1, h * w)
    f = f / (f.pow(2).sum(1, keepdim=True).sqrt() + 1e-5)
    likeness = torch.einsum("bdi,bdj->bij", f, f).clamp(min=0)
    likeness = likeness / (likeness.sum(1, keepdim=True) + 1e-5)
    corrected = torch.einsum("bci,bij->bcj", seeds.flatten(2), likeness).reshape(batch, channels, h, w)
    return corners(cam, x.shape[-2:]), corners(corrected, x.shape[-2:])


def stretched(maps):
    """visualization.max_norm of (B, C, H, W)."""
    positive = maps.clamp(min=0)
    low, high = positive.flatten(2).min(2).values, positive.flatten(2).max(2).values
    low, high = low[..., None, None], high[..., None, None]
    return (positive - low - 1e-5).clamp(min=0) / (high - low + 1e-5)


def training_loss(net, x, label, scale):
    """One iteration of train_SEAM.py: its three losses summed, of normalised crops x and 0/1 labels (B, C)."""
    smaller = F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=True)
    every = torch.cat([torch.ones_like(label[:, :1]), label], 1)[:, :, None, None]
    classification = lowest = 0.0
    raw, corrected = [], []
    for view in (x, smaller):
        cam, cam_rv = maps_of(net, view)
        logits = cam.mean((2, 3))[:, 1:]
        margins = label * F.logsigmoid(logits) + (1 - label) * F.logsigmoid(-logits)
        classification = classification - margins.mean() / 2
        strongest = (cam_rv * every)[:, 1:].max(1).values.flatten(1)
        count = strongest.shape[1] // 4
        lowest = lowest + strongest.sort(1).values[:, :count].clamp(min=0).sum() / (count * len(x)) / 2
        size = smaller.shape[-2:]
        raw.append(corners(stretched(cam), size) * every)
        corrected.append(corners(stretched(cam_rv), size) * every)
    er = (raw[0][:, 1:] - raw[1][:, 1:]).abs().mean()
    targets = []
    for maps in raw:
        strongest = maps[:, 1:].max(1, keepdim=True).values.detach()
        kept = torch.where(maps[:, 1:] == strongest, maps[:, 1:], torch.zeros(()).double()).detach()
        targets.append(torch.cat([1 - strongest, kept], 1))
    ecr = 0.0
    for target, found in ((targets[1], corrected[0]), (targets[0], corrected[1])):
        gaps = (target - found).abs().flatten(1)
        ecr = ecr + gaps.sort(1, descending=True).values[:, : int(gaps.shape[1] * 0.2)].mean()
    return classification + lowest + er + ecr


def resized(picture, scale):
    """voc12.data.VOC12ClsDatasetMSF's PIL.Image.CUBIC of a uint8 picture (H, W, 3)."""
    height, width = picture.shape[:2]
    size = (round(width * scale), round(height * scale))
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def scores_of(net, picture, present, scales, resize=resized):
    """infer_SEAM.py: scores (K, H, W) of the 0-based classes present in a uint8 picture (H, W, 3)."""
    height, width = picture.shape[:2]
    total = torch.zeros(len(present), height, width, dtype=torch.float64)
    for scale in scales:
        x = normalised(resize(picture, scale))
        for mirrored in (False, True):
            _, corrected = maps_of(net, x.flip(-1) if mirrored else x)
            maps = F.interpolate(corrected[:, 1:], (height, width), mode="bilinear", align_corners=False)[0, present]
            total += maps.flip(-1) if mirrored else maps
    low, high = total.amin((1, 2), keepdim=True), total.amax((1, 2), keepdim=True)
    # where the sum is at its minimum the published value is a little below 0; every use of it takes that for 0
    return ((total - low - 1e-5) / (high - low + 1e-5)).clamp(min=0)


def crf(picture, maps):
    """imutils.crf_inference, by pydensecrf itself."""
    from pydensecrf.densecrf import DenseCRF2D
    from pydensecrf.utils import unary_from_softmax

    channels, height, width = maps.shape
    model = DenseCRF2D(width, height, channels)
    model.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(maps.numpy().astype(np.float32))))
    model.addPairwiseGaussian(sxy=3, compat=3)
    model.addPairwiseBilateral(sxy=80, srgb=13, rgbim=picture.copy(), compat=10)
    return torch.from_numpy(np.array(model.inference(10)).reshape(channels, height, width)).double()


def competing(picture, scores):
    """The maps of out_crf_4.0 and out_crf_24.0, each background first: list of two (K + 1, H, W)."""
    return [crf(picture, torch.cat([(1 - scores.max(0).values[None]) ** alpha, scores])) for alpha in (4, 24)]
