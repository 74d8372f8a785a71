"""What the paper's words cost when they are taken to the letter, and beside each what is done here: as subjects."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from sklearn.cluster import KMeans
from torch import nn

from mars_pl.debias.centroids import Candidates, class_means, select
from mars_pl.debias.clustering import cluster_regions
from mars_pl.debias.defaults import ALPHA, Clustering
from mars_pl.debias.patch_labels import majority_label
from mars_pl.refine.dense_crf import DenseCRF
from mars_pl.segment.complement import Complement
from mars_pl.segment.deeplabv3plus import DeepLabV3Plus
from mars_pl.segment.segmentation_module import SegmentationModule
from mars_pl.wsss.cam.activation import sum_over_scales
from tests.benchmarks.subjects import DEVICE, Subject
from tests.debias import literal_selection

SIZE, CELLS, CHANNELS = (375, 500), (47, 63), 70
"""An image of VOC, its cells under a ViT-B/8, STEGO's code."""

LARGE = 19_794
"""Classes of Open Images."""


def clustering() -> Subject:
    """Centroids of an image of 500×375: K-means on the cells of background and of one class, K 2."""
    return _clustering("scikit-learn")


def clustering_batched() -> Subject:
    """The same with both regions at once in PyTorch, on the GPU where there is one."""
    return _clustering("batched", DEVICE)


def clustering_literal() -> Subject:
    """The same on features upsampled to the image, a point a pixel, scikit-learn's ten restarts (§3.2's words)."""
    features, label = _features(), _two_regions()

    def cluster() -> None:
        pixels = F.interpolate(features[None], SIZE, mode="bilinear", align_corners=False)[0].flatten(1).T
        for index in (0, 1):
            KMeans(2, n_init=10, random_state=0).fit(pixels[label.flatten() == index].numpy())

    return cluster


def distance_literal() -> Subject:
    """Eq. 1 to the letter: 30,000 candidates of 90 channels against each of 20,000 background centroids."""
    candidates = F.normalize(torch.randn(30_000, 90), dim=1)
    background = F.normalize(torch.randn(20_000, 90), dim=1)
    return lambda: torch.cat([(1 - part @ background.T).mean(1) / 2 for part in candidates.split(1024)])


def selection() -> Subject:
    """Eq. 2 and 3 for 25,000 candidates of 19,794 classes by one sort."""
    candidates, distances = _candidates()

    def choose() -> None:
        ordered = candidates.order()
        classes, vectors = candidates.classes[ordered], candidates.vectors[ordered]
        class_means([(classes, vectors)], select(classes, distances[ordered]), LARGE)

    return choose


def selection_literal() -> Subject:
    """The same, class after class."""
    candidates, distances = _candidates()

    def choose() -> None:
        literal_selection.centroids(candidates, literal_selection.select(candidates, distances, ALPHA), LARGE)

    return choose


def class_maps() -> Subject:
    """Maps of an image's 3 classes of 80 at four scales of 500×375, enlarged and added."""
    return _class_maps(torch.tensor([3, 17, 60]), take_first=True)


def class_maps_literal() -> Subject:
    """The same of all 80 classes, of which 3 are then taken (IRNet's make_cam.py before its index)."""
    return _class_maps(torch.tensor([3, 17, 60]), take_first=False)


def plain_step() -> Subject:
    """A training step of DeepLabv3+ (ResNet-18) on 4 crops of 320×320 whose labels have no biased pixel."""
    return _step(complement=None)


def complemented_step() -> Subject:
    """The same with biased pixels in every crop, filled by teacher and dense CRF in this process."""
    return _step(Complement(DenseCRF()))


def complemented_step_quarter() -> Subject:
    """The same at a quarter of the crop's size, which is the size of the logits (`stride: 4`)."""
    return _step(Complement(DenseCRF(scale=0.25), stride=4))


def _candidates() -> tuple[Candidates, torch.Tensor]:
    ids = tuple(f"{image:08d}" for image in torch.randint(0, 10**8, (12_500,)).tolist() for _ in range(2))
    classes = torch.randint(1, LARGE, (12_500,)).repeat_interleave(2)
    vectors = F.normalize(torch.randn(25_000, CHANNELS), dim=1)
    return Candidates(ids, classes, torch.arange(2).repeat(12_500), torch.ones_like(classes), vectors), torch.rand(
        25_000
    )


def _clustering(by: Clustering, device: str = "cpu") -> Subject:
    features, label = _features().to(device), _two_regions()

    def cluster() -> None:
        majority = majority_label(label, CELLS, ignore_index=255, biased_index=254).flatten()
        cluster_regions(features.flatten(1).T, majority == torch.arange(2)[:, None], [2, 2], seed=0, clustering=by)

    return cluster


def _features() -> torch.Tensor:
    broad = torch.randn(1, CHANNELS, 6, 8)
    return F.interpolate(broad, CELLS, mode="bicubic")[0] + 0.3 * torch.randn(CHANNELS, *CELLS)


def _two_regions() -> torch.Tensor:
    label = torch.zeros(SIZE, dtype=torch.int64)
    label[75:300, 100:400] = 1
    return label


def _class_maps(present: torch.Tensor, take_first: bool) -> Subject:
    image = torch.randint(0, 256, (1, 3, *SIZE), dtype=torch.uint8)

    def draw(scaled: torch.Tensor, _: float) -> torch.Tensor:
        maps = torch.rand(80, -(-scaled.shape[-2] // 16), -(-scaled.shape[-1] // 16))
        return maps[present] if take_first else maps

    def add() -> torch.Tensor:
        total = sum_over_scales(draw, image, (1.0, 0.5, 1.5, 2.0))
        return total if take_first else total[present]

    return add


def _step(complement: Complement | None) -> Subject:
    def network(num_classes: int) -> nn.Module:
        return DeepLabV3Plus(num_classes, encoder="resnet18", pretrained=False)

    module = SegmentationModule(network, num_classes=21, biased_index=254, ignore_index=255, complement=complement)
    module.train()
    cast(Any, module).log = lambda *_, **__: None  # there is no trainer
    optimizer = torch.optim.SGD(module.network.parameters(), lr=0.01)
    label = torch.zeros(4, 320, 320, dtype=torch.int64)
    label[:, 80:240, 80:240] = 1
    if complement is not None:
        label[:, 80:240, 160:240] = module.biased_index
    broad = torch.randint(0, 256, (4, 3, 10, 10)).float()
    images = F.interpolate(broad, (320, 320), mode="bicubic").clamp(0, 255).to(torch.uint8)
    batch = {"id": list("abcd"), "image": images, "label": label, "classes": torch.eye(20)[:1].expand(4, 20)}

    def step() -> None:
        optimizer.zero_grad()
        module.training_step(batch, 0).backward()
        optimizer.step()

    return step
