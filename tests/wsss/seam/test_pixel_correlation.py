import torch

from mars_pl.wsss.seam import pixel_correlation
from mars_pl.wsss.seam.pixel_correlation import PixelCorrelation, correlate


def slow_correlate(maps, features):
    """The formula, a pair of cells at a time."""
    batch, channels, height, width = maps.shape
    corrected = torch.zeros_like(maps)
    cells = [(y, x) for y in range(height) for x in range(width)]
    for image in range(batch):
        unit = {}
        for cell in cells:
            vector = features[image, :, cell[0], cell[1]]
            unit[cell] = vector / (vector.norm() + 1e-5)
        for target in cells:
            weights = {cell: max(float(unit[cell] @ unit[target]), 0.0) for cell in cells}
            total = sum(weights.values()) + 1e-5
            for channel in range(channels):
                score = sum(weights[cell] * float(maps[image, channel, cell[0], cell[1]]) for cell in cells)
                corrected[image, channel, target[0], target[1]] = score / total
    return corrected


def random_pair():
    torch.manual_seed(0)
    return torch.rand(2, 3, 3, 4, dtype=torch.float64), torch.randn(2, 5, 3, 4, dtype=torch.float64)


def test_correlation_agrees_with_its_formula():
    maps, features = random_pair()
    assert torch.allclose(correlate(maps, features), slow_correlate(maps, features), atol=1e-12)


def test_columns_at_once_change_nothing(monkeypatch):
    maps, features = random_pair()
    whole = correlate(maps, features)
    monkeypatch.setattr(pixel_correlation, "COLUMNS", 5)
    assert torch.allclose(correlate(maps, features), whole, atol=1e-12)


def test_like_cells_share_their_scores_and_unlike_ones_do_not_by_hand():
    maps = torch.tensor([1.0, 0.0, 0.5]).view(1, 1, 1, 3)
    features = torch.tensor([[1.0, 0.0], [2.0, 0.0], [-1.0, 1.0]]).T.view(1, 2, 1, 3)
    assert torch.allclose(correlate(maps, features).flatten(), torch.tensor([0.5, 0.5, 0.5]), atol=1e-4)
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).T.view(1, 2, 1, 3)
    assert torch.allclose(correlate(maps, features), maps, atol=1e-4)


def test_the_correction_teaches_its_own_convolutions_alone():
    torch.manual_seed(0)
    intermediate = tuple(torch.randn(2, channels, 4, 5, requires_grad=True) for channels in (6, 7, 8))
    module = PixelCorrelation((6, 7))
    corrected = module(torch.rand(2, 3, 4, 5), torch.randn(2, 3, 32, 40), intermediate)
    assert corrected.shape == (2, 3, 4, 5)
    corrected.square().sum().backward()
    assert all(maps.grad is None for maps in intermediate)
    assert {name for name, parameter in module.named_parameters() if parameter.grad is not None} == {
        "shallow.weight",
        "deep.weight",
        "embed.weight",
    }
    assert module.embed.weight.shape == (192, 195, 1, 1)
