"""What the segmentation module predicts: with which network, over which views, by which mean."""

import pytest
import torch

from mars_pl.segment.inference import multi_scale_probabilities
from mars_pl.segment.sliding_window import SlidingWindow
from tests.fakes.quiet_trainer import quiet_trainer

CLASSES = 4


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_predicts_a_distribution_at_image_size_with_the_named_network(make_module, make_loader, role):
    module = make_module(predict_with=role, flip=False)
    ignored = module.network if role == "teacher" else module.teacher
    torch.nn.init.constant_(ignored.decoder[-1].weight, float("nan"))
    [first, *_] = quiet_trainer().predict(module, make_loader(batch_size=1, length=2, size=30))
    assert first.id == "000"
    assert first.probabilities.shape == (CLASSES, 30, 30)
    assert first.probabilities.isfinite().all()


@pytest.mark.parametrize("average", ["probabilities", "logits"])
def test_predicts_by_the_mean_it_is_told(make_module, make_loader, average):
    module = make_module(scales=(1.0, 0.5), flip=True, average=average, least_probability=0.0)
    loader = make_loader(batch_size=1, length=1)
    [prediction] = quiet_trainer().predict(module, loader)
    with torch.no_grad():
        expected = multi_scale_probabilities(module.teacher, next(iter(loader))["image"], (1.0, 0.5), True, average)[0]
    assert torch.allclose(prediction.probabilities, expected, atol=1e-6)


def test_predicts_with_the_resampling_it_is_told(make_module, make_loader):
    loader = make_loader(batch_size=1, length=1, size=30)
    found = {}
    for resampling in ("centres", "corners"):
        module = make_module(scales=(1.0, 0.5), flip=True, resampling=resampling, least_probability=0.0)
        [prediction] = quiet_trainer().predict(module, loader)
        found[resampling] = prediction.probabilities
        assert torch.allclose(found[resampling].sum(0), torch.ones(30, 30))
    assert make_module().resampling == "centres"
    assert (found["centres"] - found["corners"]).abs().max() > 1e-4


def test_classes_that_are_nowhere_probable_enough_are_left_out(make_module, make_loader):
    [all_classes, some] = (
        quiet_trainer().predict(make_module(least_probability=least), make_loader(batch_size=1, length=1))[0]
        for least in (0.0, 0.999)
    )
    assert all_classes.probabilities.flatten(1).any(dim=1).all()
    assert some.probabilities.flatten(1).any(dim=1).tolist() == [True, False, False, False]  # background stays


def test_predicts_by_windows(make_module, make_loader):
    module = make_module(window=SlidingWindow(16))
    sizes = []
    module.teacher.register_forward_pre_hook(lambda _, inputs: sizes.append(tuple(inputs[0].shape[-2:])))
    [first] = quiet_trainer().predict(module, make_loader(batch_size=1, length=1, size=30))
    assert first.probabilities.shape == (CLASSES, 30, 30)
    assert torch.allclose(first.probabilities.sum(0), torch.ones(30, 30))
    # the check at set-up; each window and its mirror image
    assert set(sizes[1:]) == {(16, 16)} and len(sizes) == 1 + 2 * 9
