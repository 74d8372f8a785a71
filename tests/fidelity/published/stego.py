"""What STEGO's code computes (mhamilton723/STEGO: src/modules.py, train_segmentation.py, eval_segmentation.py,
precompute_knns.py) and how DHR reads it at several scales (shjo-april/DHR: core/uss), written anew in float64."""

from __future__ import annotations

import torch
import torch.nn.functional as F

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalised(image):
    """uint8 (B, 3, H, W) as the network takes it."""
    mean, std = (torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (image.double() / 255 - mean) / std


def vision_transformer(weights, image, depth, heads, patch):
    """DINO's, on images of the size that its position embeddings are of: tokens of the last block, normed, as a map."""
    w = {name: value.double() for name, value in weights.items()}

    def norm(x, name):
        centred = x - x.mean(-1, keepdim=True)
        deviation = (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        return centred / deviation * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    cells = F.conv2d(normalised(image), w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=patch)
    batch, dim, rows, columns = cells.shape
    x = torch.cat([w["cls_token"].expand(batch, 1, dim), cells.flatten(2).transpose(1, 2)], dim=1) + w["pos_embed"]
    for block in (f"blocks.{index}" for index in range(depth)):
        qkv = linear(norm(x, f"{block}.norm1"), f"{block}.attn.qkv").view(batch, -1, 3, heads, dim // heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        attention = ((query @ key.transpose(-2, -1)) * (dim // heads) ** -0.5).softmax(-1)
        x = x + linear((attention @ value).transpose(1, 2).reshape(batch, -1, dim), f"{block}.attn.proj")
        hidden = linear(norm(x, f"{block}.norm2"), f"{block}.mlp.fc1")
        x = x + linear(hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5)), f"{block}.mlp.fc2")
    return norm(x, "norm")[:, 1:].transpose(1, 2).view(batch, dim, rows, columns)


def head(weights, tokens, linear_noise=1.0, nonlinear_noise=1.0):
    """cluster1 + cluster2 on tokens (B, D, h, w), each with its own noise (B, D, 1, 1) of the dropout of channels."""

    def convolve(x, name):
        matrix = weights[f"{name}.weight"].flatten(1)
        return torch.einsum("cd,bdhw->bchw", matrix, x) + weights[f"{name}.bias"].view(1, -1, 1, 1)

    hidden = convolve(tokens * nonlinear_noise, "nonlinear.0").clamp(min=0)
    return convolve(tokens * linear_noise, "linear") + convolve(hidden, "nonlinear.2")


def sample(maps, points):
    """Read (B, C, h, w) at (B, n, m, 2), x before y, ±1 being the outermost cells' centres: (B, C, n, m)."""
    height, width = maps.shape[-2:]
    x, y = (points[..., 0] + 1) / 2 * (width - 1), (points[..., 1] + 1) / 2 * (height - 1)
    left, top = x.floor().long().clamp(0, width - 2), y.floor().long().clamp(0, height - 2)
    image = torch.arange(len(maps)).view(-1, 1, 1)

    def cell(row, column):
        return maps[image, :, row, column].movedim(-1, 1)

    right, down = (x - left).unsqueeze(1), (y - top).unsqueeze(1)
    upper = cell(top, left) * (1 - right) + cell(top, left + 1) * right
    lower = cell(top + 1, left) * (1 - right) + cell(top + 1, left + 1) * right
    return upper * (1 - down) + lower * down


def correlation(first, second):
    """Cosines of all places of one map with all places of another, (B, h, w, i, j)."""
    first, second = (x / x.square().sum(1, keepdim=True).sqrt().clamp(min=1e-10) for x in (first, second))
    return torch.einsum("nchw,ncij->nhwij", first, second)


def term(features, other_features, code, other_code, shift):
    """One of the three losses: `pointwise`, `zero_clamp`, not `stabalize`."""
    agreement = correlation(features, other_features).detach()
    before = agreement.mean()
    agreement = agreement - agreement.mean(dim=(3, 4), keepdim=True)
    agreement = agreement - agreement.mean() + before
    return (-correlation(code, other_code).clamp(min=0) * (agreement - shift)).mean()


def contrastive_loss(features, positive, code, positive_code, first, second, partners, weights, shifts):
    """Self, neighbours and random negatives, of weights and shifts in this order."""
    here, here_code = sample(features, first), sample(code, first)
    intra = term(here, here, here_code, here_code, shifts[0])
    inter = term(here, sample(positive, second), here_code, sample(positive_code, second), shifts[1])
    negative = [
        term(here, sample(features[partner], second), here_code, sample(code[partner], second), shifts[2])
        for partner in partners
    ]
    return weights[0] * intra + weights[1] * inter + weights[2] * sum(negative) / len(negative)


def nearest(tokens, k):
    """Rows of the k images whose mean tokens have the largest cosine, by falling cosine."""
    means = tokens.mean(dim=(2, 3))
    unit = means / means.square().sum(1, keepdim=True).sqrt()
    return (unit @ unit.T).sort(dim=1, descending=True).indices[:, :k]


def inference(network, image, patch, scales):
    """DHR: at each scale the mean of an image's features and its mirror's, summed on the first scale's grid.

    Args:
        network: normalised float64 (B, 3, H, W) to features.
        image: uint8 (3, H, W).
        patch: of the network.
        scales: the finest first.
    """
    image, total = normalised(image[None]), None
    for scale in scales:
        sides = [int(side * scale) for side in image.shape[-2:]]
        while sides[0] % patch:
            sides[0] += 1
        while sides[1] % patch:
            sides[1] += 1
        resized = F.interpolate(image, sides, mode="bilinear", align_corners=False)
        there, back = network(torch.cat([resized, resized.flip(-1)]))
        features = ((there + back.flip(-1)) / 2)[None]
        if total is not None:
            features = F.interpolate(features, total.shape[-2:], mode="bilinear", align_corners=False)
        total = features if total is None else total + features
    return total[0] / len(scales)
