import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from mars_pl.segment.deeplabv3plus import DeepLabV3Plus
from mars_pl.segment.segmentation_module import SegmentationModule

BIASED, IGNORED, CLASSES = 254, 255, 4


@pytest.fixture
def make_network():
    """Factory of tiny networks: random weights, timm's test encoder, no download."""

    def make(num_classes=CLASSES, **options):
        defaults = {"aspp_channels": 8, "decoder_channels": 8, "low_level_channels": 4}
        torch.manual_seed(0)
        return DeepLabV3Plus(num_classes, "test_resnet", **{"output_stride": 16, **defaults, **options})

    return make


@pytest.fixture
def make_module(make_network):
    def make(network=None, **options):
        network = make_network() if network is None else network
        return SegmentationModule(
            lambda _: network, CLASSES, **{"lr": 0.05, "head_factor": 1, "scales": (1.0,), **options}
        )

    return make


class Crops(Dataset):
    """Random crops whose labels follow the brightness; the odd ones have biased pixels."""

    def __init__(self, length=8, size=32, biased=True):
        self.length, self.size, self.biased = length, size, biased

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        image = torch.randint(0, 256, (3, self.size, self.size), generator=generator, dtype=torch.uint8)
        truth = torch.zeros(self.size, self.size, dtype=torch.int64)
        truth[8:24, 8:24] = 1 + index % (CLASSES - 1)
        label = truth.clone()
        if self.biased and index % 2:
            label[8:24, 16:24] = BIASED
        classes = torch.zeros(CLASSES - 1)
        classes[index % (CLASSES - 1)] = 1
        valid = torch.ones(self.size, self.size, dtype=torch.bool)
        return {
            "id": f"{index:03d}",
            "image": image,
            "classes": classes,
            "label": label,
            "truth": truth,
            "valid": valid,
        }


@pytest.fixture
def make_loader():
    def make(batch_size=4, **options):
        return DataLoader(Crops(**options), batch_size=batch_size, drop_last=batch_size > 1)

    return make
