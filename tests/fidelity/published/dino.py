"""DINO's vision transformer by the letter, in plain operations, as STEGO and Leopart copied it (src/vit.py)."""

from __future__ import annotations

import math

import torch

MEAN, STD = (
    torch.tensor(row, dtype=torch.float64).view(3, 1, 1) for row in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
)


def normalised(image):
    """ToTensor and Normalize of uint8 RGB."""
    return (image.double() / 255 - MEAN) / STD


def cubic(new, old):
    """The matrix that reads `new` places of `old` values as DINO does: Keys' cubic at -.75, the scale's .1 included."""
    matrix = torch.zeros(new, old, dtype=torch.float64)
    for place in range(new):
        where = (place + 0.5) * old / (new + 0.1) - 0.5
        for k in range(math.floor(where) - 1, math.floor(where) + 3):
            d = abs(where - k)
            near = 1.25 * d**3 - 2.25 * d**2 + 1
            weight = near if d <= 1 else -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
            matrix[place, min(max(k, 0), old - 1)] += weight
    return matrix


def layer_norm(x, state, name):
    centred = x - x.mean(-1, keepdim=True)
    return (
        centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt() * state[f"{name}.weight"]
        + state[f"{name}.bias"]
    )


def linear(x, state, name):
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def gelu(x):
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def transformer(state, image, heads):
    """Tokens (N, h, w, D) of the last block after the norm, and its attention of the class token (N, heads, h, w)."""
    kernel = state["patch_embed.proj.weight"]
    dim, _, patch, _ = kernel.shape
    h, w = image.shape[2] // patch, image.shape[3] // patch
    patches = (
        image.unfold(2, patch, patch).unfold(3, patch, patch).permute(0, 2, 3, 1, 4, 5).reshape(len(image), h * w, -1)
    )
    x = patches @ kernel.reshape(dim, -1).T + state["patch_embed.proj.bias"]
    own, positions = state["pos_embed"][:, :1], state["pos_embed"][:, 1:]
    side = math.isqrt(positions.shape[1])
    if (h, w) != (side, side):
        grid = positions.reshape(side, side, dim)
        positions = torch.einsum("yi,xj,ijd->yxd", cubic(h, side), cubic(w, side), grid).reshape(1, h * w, dim)
    x = torch.cat([state["cls_token"].expand(len(x), 1, dim), x], dim=1) + torch.cat([own, positions], dim=1)
    depth = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("blocks."))
    for block in range(depth):
        name = f"blocks.{block}"
        qkv = linear(layer_norm(x, state, f"{name}.norm1"), state, f"{name}.attn.qkv")
        query, key, value = qkv.reshape(len(x), -1, 3, heads, dim // heads).permute(2, 0, 3, 1, 4)
        attention = (query @ key.transpose(-2, -1) / math.sqrt(dim // heads)).softmax(-1)
        x = x + linear((attention @ value).transpose(1, 2).flatten(2), state, f"{name}.attn.proj")
        inner = gelu(linear(layer_norm(x, state, f"{name}.norm2"), state, f"{name}.mlp.fc1"))
        x = x + linear(inner, state, f"{name}.mlp.fc2")
    x = layer_norm(x, state, "norm")
    return x[:, 1:].reshape(len(x), h, w, dim), attention[:, :, 0, 1:].reshape(len(x), heads, h, w)
