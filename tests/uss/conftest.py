from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mars_pl.uss.backbone import FrozenViT


@pytest.fixture
def backbone() -> FrozenViT:
    torch.manual_seed(0)
    return FrozenViT("test_vit")


@pytest.fixture
def image() -> Tensor:
    return torch.randint(0, 256, (2, 3, 48, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
