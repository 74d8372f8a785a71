import torch
import torch.nn.functional as F

from mars_pl.wsss.irn.propagation import flip_averaged_edge, propagate, to_grid
from mars_pl.wsss.propagation.random_walk import half_disc
from tests.wsss.irn.test_path_affinity import literal_affinity
from tests.wsss.propagation.test_random_walk import literal_transition

WALK = {"radius": 3, "exponent": 10, "steps": 64}


class Darkness:
    """Calls the left half of whatever it sees an edge: the two views of a pair see different halves."""

    def edge(self, image, crop_size=None):
        self.crop_size = crop_size
        logits = torch.zeros(len(image), image.shape[-2] // 4, image.shape[-1] // 4)
        logits[..., : logits.shape[-1] // 2] = 4.0
        return logits


def test_the_logits_of_an_image_and_its_mirror_image_are_averaged():
    network = Darkness()
    edge = flip_averaged_edge(network, torch.zeros(1, 3, 8, 16, dtype=torch.uint8), 32)
    assert torch.allclose(edge, torch.full((2, 4), 2.0).sigmoid())
    assert network.crop_size == 32


def test_cells_average_their_sixteen_pixels_and_the_border_goes_on():
    scores = torch.zeros(1, 6, 8)
    scores[0, :4, :4] = torch.arange(16.0).view(4, 4)
    scores[0, 4:] = 3.0
    assert to_grid(scores, (2, 2)).tolist() == [[[7.5, 0.0], [3.0, 3.0]]]


def literal(scores, edge, seed_exponent):
    """The published steps: seeds on the grid without edges, a dense matrix's power, ×4, divided by the maximum."""
    reach = WALK["radius"] - 1
    padded = F.pad(edge, (reach, reach, 0, reach), value=1.0)
    affinity = literal_affinity(padded[None], WALK["radius"])[0]
    transition = literal_transition(half_disc(WALK["radius"]), affinity, WALK["exponent"])
    seed = to_grid(scores, tuple(edge.shape))
    seed = (seed / (seed.amax((1, 2), keepdim=True) + 1e-5)) ** seed_exponent * (1 - edge)
    walked = (seed.flatten(1) @ torch.linalg.matrix_power(transition, WALK["steps"])).view_as(seed)
    enlarged = F.interpolate(walked[None], scale_factor=4, mode="bilinear")[0][:, : scores.shape[1], : scores.shape[2]]
    return enlarged / enlarged.max()


def test_the_whole_propagation_agrees_with_the_literal_one():
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(2, 18, 23, generator=generator, dtype=torch.float64)
    edge = torch.rand(5, 6, generator=generator, dtype=torch.float64)
    for seed_exponent in (1.0, 1.5):
        found = propagate(scores, edge, **WALK, seed_exponent=seed_exponent)
        assert found.shape == scores.shape and found.max() == 1
        assert torch.allclose(found, literal(scores, edge, seed_exponent), atol=1e-9)


def test_scores_fill_their_side_of_a_boundary_and_leave_the_other():
    scores, edge = torch.zeros(1, 32, 48), torch.zeros(8, 12)
    scores[0, 12:20, 0:12] = 1.0
    edge[:, 6] = 1.0
    found = propagate(scores, edge, **WALK)[0]
    assert found[:, :20].min() > 0.3
    assert not found[:, 30:].any()


def test_images_without_classes_or_scores_stay_empty():
    edge = torch.rand(3, 4)
    assert propagate(torch.zeros(0, 12, 16), edge, **WALK).shape == (0, 12, 16)
    assert not propagate(torch.zeros(2, 12, 16), edge, **WALK).any()
