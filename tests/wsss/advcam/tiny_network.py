"""A classifier small enough to be differentiated by differences, in float64."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TinyNetwork(nn.Module):
    """One convolution, ReLU, three classes; remembers the rectified, averaged logits of every pair it sees."""

    def __init__(self, seed: int = 0, bias: float = 0.1) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.convolution = nn.Conv2d(3, 5, 3, stride=2, padding=1).double()
        self.classifier = nn.Conv2d(5, 3, 1, bias=False).double()
        nn.init.constant_(self.convolution.bias, bias)
        self.seen: list[Tensor] = []
        self.sizes: list[tuple[int, ...]] = []

    def normalise(self, image: Tensor) -> Tensor:
        return image.double() / 64 - 2

    def features(self, normalised: Tensor) -> Tensor:
        features = F.relu(self.convolution(normalised))
        self.seen.append(F.relu(self.classifier(features)).mean((-2, -1)).sum(0).detach())
        self.sizes.append(tuple(normalised.shape[-2:]))
        return features


def random_pair(seed: int = 1, size: tuple[int, int] = (8, 10)) -> Tensor:
    """A normalised image and its mirror image, (2, 3, H, W)."""
    image = torch.randn(1, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.cat([image, image.flip(-1)])
