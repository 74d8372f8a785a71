"""What jiwoon-ahn/psa (and SEAM's copy) computes of affinities, in our own words and in float64."""

from __future__ import annotations

import torch
import torch.nn.functional as F

RADIUS = 5


def pairs(height, width):
    """pyutils.get_indices_of_pairs: for each offset the two ends (y, x) of its pairs, all inside the grid."""
    reach = RADIUS - 1
    offsets = [(0, x) for x in range(1, RADIUS)]
    offsets += [(y, x) for y in range(1, RADIUS) for x in range(-reach, RADIUS) if x * x + y * y < RADIUS * RADIUS]
    starts = [(y, x) for y in range(height - reach) for x in range(reach, width - reach)]
    return [[(start, (start[0] + down, start[1] + right)) for start in starts] for down, right in offsets]


def affinities(net, x):
    """resnet38_aff.Net.forward: x (B, 3, H, W) normalised → (B, offsets, starts)."""
    taps = net.backbone(x)
    narrowed = [F.elu(F.conv2d(tap, layer.weight)) for tap, layer in zip(taps, net.narrow, strict=True)]
    f = F.elu(F.conv2d(torch.cat(narrowed, 1), net.merge.weight))
    height, width = f.shape[-2:]
    rows = []
    for ends in pairs(height, width):
        here = torch.stack([f[:, :, y, x] for (y, x), _ in ends], -1)
        there = torch.stack([f[:, :, y, x] for _, (y, x) in ends], -1)
        rows.append(torch.exp(-(there - here).abs().mean(1)))
    return torch.stack(rows, 1)


def cell_label(low, high):
    """VOC12AffDataset with AvgPool2d(8): maps (K + 1, H, W) of both alphas → cells (H / 8, W / 8), 0…K or 255."""
    channels, height, width = low.shape
    label = torch.zeros(height // 8, width // 8, dtype=torch.int64)
    for y in range(height // 8):
        for x in range(width // 8):
            block = (slice(8 * y, 8 * y + 8), slice(8 * x, 8 * x + 8))
            means = [[float(maps[c][block].mean()) for c in range(channels)] for maps in (low, high)]
            if max(*means[0], *means[1]) < 1e-5:
                label[y, x] = 255
            elif means[1].index(max(means[1])) == 0:
                label[y, x] = 0
            else:
                label[y, x] = means[0].index(max(means[0])) or 255
    return label


def affinity_loss(affinity, labels):
    """train_aff.py's sum over a batch, of labels by VOC12AffDataset's ExtractAffinityLabelInRadius."""
    totals, counts = torch.zeros(3, dtype=torch.float64), [1e-5] * 3
    kinds = []
    for b, label in enumerate(labels):
        for o, ends in enumerate(pairs(*label.shape)):
            for n, ((y, x), (v, u)) in enumerate(ends):
                here, there = int(label[y, x]), int(label[v, u])
                if here == 255 or there == 255:
                    continue
                kind = 2 if here != there else (0 if here == 0 else 1)
                kinds.append((kind, b, o, n))
    for kind in range(3):
        chosen = [place[1:] for place in kinds if place[0] == kind]
        counts[kind] += len(chosen)
        values = torch.stack([affinity[place] for place in chosen]) if chosen else affinity.new_zeros(0)
        term = -(1 + 1e-5 - values).log() if kind == 2 else -(values + 1e-5).log()
        totals = totals + term.sum() * F.one_hot(torch.tensor(kind), 3)
    background, foreground, negative = totals / torch.tensor(counts, dtype=torch.float64)
    return background / 4 + foreground / 4 + negative / 2


def walked_label(net, x, scores, class_ids, alpha, beta, doublings):
    """infer_aff.py: label (H, W) and walked maps (K + 1, H, W) from scores (K, H, W) and a normalised picture."""
    height, width = scores.shape[-2:]
    down, right = -height % 8, -width % 8
    x = F.pad(x, (0, right, 0, down))
    h, w = x.shape[-2] // 8, x.shape[-1] // 8
    affinity = affinities(net, x)[0]
    matrix = torch.eye(h * w, dtype=torch.float64)
    for o, ends in enumerate(pairs(h, w)):
        for n, ((y, x0), (v, u)) in enumerate(ends):
            one, other = y * w + x0, v * w + u
            matrix[one, other] = matrix[other, one] = affinity[o, n]
    matrix = matrix**beta
    matrix = matrix / matrix.sum(0, keepdim=True)
    for _ in range(doublings):
        matrix = matrix @ matrix
    maps = torch.cat([(1 - scores.max(0).values[None]) ** alpha, scores])
    cells = F.avg_pool2d(F.pad(maps, (0, right, 0, down)), 8)
    walked = (cells.flatten(1) @ matrix).reshape(1, -1, h, w)
    walked = F.interpolate(walked, scale_factor=8, mode="bilinear", align_corners=False)[0, :, :height, :width]
    codes = torch.tensor([0, *class_ids])
    return codes[walked.max(0).indices], walked
