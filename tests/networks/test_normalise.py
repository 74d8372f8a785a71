import torch

from mars_pl.networks.normalise import Normalise


def test_mean_and_deviation_are_of_rgb_in_unit_range():
    image = torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 3, 1, 1)
    out = Normalise(mean=[0.5, 0.5, 0.2], std=[0.5, 0.25, 0.1])(image)
    assert torch.allclose(out.flatten(), torch.tensor([-1.0, 2.0, 0.0]), atol=1e-6)
    assert not Normalise().state_dict()
