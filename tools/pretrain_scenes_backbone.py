"""Make the small ViT under STEGO on Scenes: `python tools/pretrain_scenes_backbone.py`, half an hour on one core.

Self-supervised, from pictures of a seed that no demo uses; labels are never looked at. Patches are quantised into
visual words, and each token of a distorted, partly hidden view learns which words lie around its place in the clean
picture (Gidaris et al., "Learning Representations by Predicting Bags of Visual Words", CVPR 2020, made dense). It
takes the place of DINO's pretraining on ImageNet, which knows nothing of drawn pictures.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor, nn

from datamodules.synthetic.generator import render
from mars_pl.networks.normalise import Normalise
from mars_pl.training.weight_files import SHIPPED

PATCH = 4
"""Side of a token in pixels: a bird and its branch need two."""
NAME, SHAPE = (
    "vit_tiny_patch16_224",
    {"patch_size": PATCH, "embed_dim": 96, "depth": 4, "num_heads": 3, "img_size": 128},
)
VIEW = (64, 96)
"""Height and width of a view in pixels."""
STRIDE = 4
"""Pixels between the patches that are quantised."""
AROUND = 3
"""Side, in such patches, of the neighbourhood whose words a token learns."""


@dataclass(frozen=True)
class Words:
    """One code book of patches: whitening and K-means, colour or grey."""

    side: int
    grey: bool
    mean: Tensor
    whiten: Tensor
    centres: Tensor

    @staticmethod
    def fit(images: Tensor, side: int, grey: bool, dims: int, words: int = 128) -> Words:
        """Quantise patches of ``images`` (N, 3, H, W), normalised; ``dims`` principal ones are kept."""
        patches = torch.cat([_patches(batch, side, grey).flatten(0, 1) for batch in images.split(50)])
        patches = patches[torch.randperm(len(patches))[:60_000]]
        mean = patches.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov(patches.T))
        whiten = vectors[:, -dims:] / (values[-dims:] + 0.2).sqrt()
        kmeans = MiniBatchKMeans(words, n_init=1, random_state=0, batch_size=4096, max_iter=30)
        kmeans.fit(((patches - mean) @ whiten).numpy())
        return Words(side, grey, mean, whiten, torch.from_numpy(kmeans.cluster_centers_).float())

    def __call__(self, images: Tensor) -> Tensor:
        """Soft words around every place: (B, 3, H, W) normalised to (B, words, H/4, W/4), summing to 1."""
        codes = (_patches(images, self.side, self.grey) - self.mean) @ self.whiten
        soft = F.softmax(-5 * torch.cdist(codes, self.centres), dim=-1).transpose(1, 2)
        soft = soft.unflatten(2, (images.shape[-2] // STRIDE, images.shape[-1] // STRIDE))
        return F.avg_pool2d(soft, AROUND, 1, AROUND // 2, count_include_pad=False)


def _patches(images: Tensor, side: int, grey: bool) -> Tensor:
    images = images.mean(1, keepdim=True) if grey else images
    border = (side - STRIDE) // 2
    return F.unfold(F.pad(images, (border,) * 4, mode="reflect"), side, stride=STRIDE).transpose(1, 2)


def draw(seed_index: tuple[int, int]) -> np.ndarray:
    """Paint one picture and keep nothing of it but its pixels."""
    return render(*seed_index).image


def frames(batch: int, height: int, width: int) -> Tensor:
    """Random crops, mirrored or not, enlarged up to 2.4 times: half sides and middles (x, x, y, y) in [-1, 1]."""
    zoom = 2.4 ** torch.rand(batch) / 1.25
    half_x, half_y = (VIEW[1] / width / zoom).clamp(max=1), (VIEW[0] / height / zoom).clamp(max=1)
    middle_x, middle_y = (2 * torch.rand(batch) - 1) * (1 - half_x), (2 * torch.rand(batch) - 1) * (1 - half_y)
    return torch.stack([half_x * torch.rand(batch).sub(0.5).sign(), middle_x, half_y, middle_y], 1)[:, :, None, None]


def places(frame: Tensor, rows: int, columns: int) -> Tensor:
    """Where the cells of a rows × columns grid over each frame lie in its picture: (B, rows, columns, 2)."""
    x = ((2 * torch.arange(columns) + 1) / columns - 1).view(1, 1, columns)
    y = ((2 * torch.arange(rows) + 1) / rows - 1).view(1, rows, 1)
    x, y = frame[:, 0] * x + frame[:, 1], frame[:, 2] * y + frame[:, 3]
    return torch.stack([x.expand(-1, rows, -1), y.expand(-1, -1, columns)], -1)


def distort(views: Tensor) -> Tensor:
    """Turn hues, change saturation, contrast and brightness, add noise, hide a fifth; RGB in [0, 1]."""
    batch = len(views)
    angle = (2 * torch.rand(batch, 1, 1) - 1) * 0.2 * math.pi
    grey = torch.full((3, 3), 1 / 3)
    axis = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    turn = angle.cos() * torch.eye(3) + angle.sin() * axis + (1 - angle.cos()) * grey
    saturation = torch.exp(1.2 * torch.rand(batch, 1, 1) - 0.6) * (torch.rand(batch, 1, 1) > 0.1)
    views = torch.einsum("bij,bjhw->bihw", (grey + saturation * (torch.eye(3) - grey)) @ turn, views)
    mean = views.mean((1, 2, 3), keepdim=True)
    views = (
        (views - mean) * torch.exp(0.8 * torch.rand(batch, 1, 1, 1) - 0.4)
        + mean
        + 0.3 * torch.rand(batch, 1, 1, 1)
        - 0.15
    )
    views = (views + 0.03 * torch.rand(batch, 1, 1, 1) * torch.randn_like(views)).clamp(0, 1)
    hidden = torch.rand(batch, 1, VIEW[0] // 16, VIEW[1] // 16) < 0.2
    return views.masked_fill(F.interpolate(hidden.float(), VIEW).bool(), 0.45)


def main() -> None:
    """Pretrain and write the weights in half precision."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--target", type=Path, default=SHIPPED / "scenes_vit.safetensors")
    parser.add_argument("--seed", type=int, default=1000, help="of the pictures; the demo's is 0")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    with Pool() as pool:
        drawn = pool.map(draw, [(arguments.seed, index) for index in range(arguments.pictures)], chunksize=50)
    images = torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).contiguous()
    normalise = Normalise()
    some = normalise(images[:400])
    books = [Words.fit(some, 8, False, 40), Words.fit(some, 12, False, 60), Words.fit(some, 12, True, 40)]
    share = [torch.cat([book(batch) for batch in some.split(50)]).mean((0, 2, 3)) for book in books]
    # Rare words tell more; this also weighs tokens, so that sky and ground do not drown the rest.
    rarity = torch.cat([1 / (s.clamp(min=1e-4) * len(s)).sqrt() for s in share]).view(-1, 1, 1)

    network = timm.create_model(NAME, pretrained=False, num_classes=0, dynamic_img_size=True, **SHAPE)
    # Whitened patches as a start: a random embedding spends most of so short a training on finding them.
    stem = Words.fit(some, PATCH, False, 40)
    filters = torch.cat([stem.whiten, -stem.whiten], 1).T
    with torch.no_grad():
        network.patch_embed.proj.weight[: len(filters)] = filters.view(-1, 3, PATCH, PATCH)
        network.patch_embed.proj.bias[: len(filters)] = -filters @ stem.mean
    words = nn.Parameter(torch.randn(len(rarity), SHAPE["embed_dim"]))
    parameters = [*network.parameters(), words]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min(1, (s + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * s / arguments.steps))
    )
    start, rows, columns = time.time(), VIEW[0] // PATCH, VIEW[1] // PATCH
    for step in range(arguments.steps):
        batch = images[torch.randint(len(images), (arguments.batch,))]
        frame = frames(len(batch), *batch.shape[-2:])
        with torch.no_grad():
            clean = normalise(batch)
            bag = torch.cat([book(clean) for book in books], 1) * rarity
            bag = F.grid_sample(bag, places(frame, rows, columns), align_corners=False, padding_mode="border")
            view = F.grid_sample(batch / 255, places(frame, *VIEW), align_corners=False, padding_mode="reflection")
        (tokens,) = network.forward_intermediates(
            normalise(255 * distort(view)), indices=1, norm=True, output_fmt="NCHW", intermediates_only=True
        )
        # Cosines, because cosines are what STEGO reads.
        scores = 12 * torch.einsum("bdhw,kd->bkhw", F.normalize(tokens, dim=1), F.normalize(words, dim=1))
        likely = torch.cat([F.log_softmax(s, 1) for s in scores.split([len(book.centres) for book in books], 1)], 1)
        loss = -(bag * likely).sum(1).mean() / len(books)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            print(f"step {step + 1}: loss {loss.item():.3f}, {time.time() - start:.0f} s", flush=True)
    save_file({key: value.half() for key, value in network.state_dict().items()}, arguments.target)


if __name__ == "__main__":
    main()
