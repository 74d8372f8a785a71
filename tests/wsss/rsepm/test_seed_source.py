import torch

from mars_pl.refine.pamr import PAMR
from mars_pl.refine.protocol import Refine
from mars_pl.wsss.rsepm.network import SingleStageOutput
from mars_pl.wsss.rsepm.seed_source import SeedSource, activation_scores, decoder_scores
from mars_pl.wsss.rsepm.self_correlation import SelfCorrelationGuidance

IMAGE = torch.zeros(1, 3, 4, 8, dtype=torch.uint8)
VALID = torch.ones(1, 4, 8, dtype=torch.bool)


def output(features):
    empty = torch.zeros(1, 2, *features.shape[-2:])
    return SingleStageOutput(features, empty, torch.zeros(1, 2), torch.zeros(1, 3, 4, 8))


def scores(left, right):
    """One class: ``left`` in the left half, ``right`` in the right."""
    maps = torch.full((1, 2, 4, 8), 0.0)
    maps[:, 0, :, :4], maps[:, 0, :, 4:] = left, right
    return maps


FEATURES = torch.zeros(1, 2, 4, 8)
FEATURES[:, 0, :, :4], FEATURES[:, 1, :, 4:] = 1, 1


def test_activations_are_divided_by_their_maximum_and_absent_classes_are_zero():
    maps = torch.tensor([[-1.0, 2.0, 4.0], [5.0, 1.0, 0.0]]).view(1, 2, 1, 3)
    found = activation_scores(maps, torch.tensor([[1.0, 0.0]]))[0, :, 0]
    assert torch.allclose(found, torch.tensor([[0.0, 0.5, 1.0], [0.0, 0.0, 0.0]]), atol=1e-5)


def test_decoder_scores_leave_the_background_out():
    logits = torch.tensor([0.0, 0.0, 9.0]).view(1, 3, 1, 1)
    assert decoder_scores(logits, torch.tensor([[1.0, 0.0]])).flatten().tolist() == [0.5, 0.0]


def test_plain_scores_are_cut_at_the_thresholds():
    label = SeedSource()(IMAGE, output(FEATURES), scores(0.6, 0.3), VALID)
    assert label[0, 0].tolist() == [1] * 4 + [255] * 4


def test_seeds_are_the_mean_of_scores_and_guided_scores():
    plain, guided = SeedSource(), SeedSource(guidance=SelfCorrelationGuidance())
    weak = scores(0.35, 0.0)  # a third of the way, but all of the left half is alike and unlike the right
    assert (plain(IMAGE, output(FEATURES), weak, VALID)[0, :, :4] == 255).all()
    assert guided(IMAGE, output(FEATURES), weak, VALID)[0, 0].tolist() == [1] * 4 + [0] * 4  # (0.35 + 1) / 2


def test_refinement_sees_background_and_classes():
    class Spy(Refine):
        def __call__(self, images, probabilities):
            self.seen = probabilities
            return probabilities.flip(-1)

    spy = Spy()
    label = SeedSource(refine=spy)(IMAGE, output(FEATURES), scores(0.75, 0.0), VALID)
    assert torch.equal(spy.seen[0, :, 0, 0], torch.tensor([0.25, 0.75, 0.0]))
    assert torch.equal(spy.seen[0, :, 0, 7], torch.tensor([1.0, 0.0, 0.0]))
    assert label[0, 0].tolist() == [0] * 4 + [1] * 4


def test_pamr_moves_seeds_to_the_borders_of_the_image():
    image = torch.zeros(1, 3, 4, 8, dtype=torch.uint8)
    image[..., 5:] = 200
    maps = scores(1.0, 0.0)
    label = SeedSource(refine=PAMR(dilations=[1, 2]), uncertain=0.45)(image, output(FEATURES), maps, VALID)
    assert (label[0, :, :5] == 1).all() and (label[0, :, 5:] == 0).all()


def test_padding_has_no_seeds():
    valid = VALID.clone()
    valid[..., 6:] = False
    assert (
        SeedSource()(IMAGE, output(FEATURES), scores(0.6, 0.0), valid)[0, 0].tolist() == [1] * 4 + [0] * 2 + [255] * 2
    )
