from itertools import pairwise

import pytest
import torch

from mars_pl.debias.kinds.sample import Sampler


def table(count=40, classes=5, seed=0):
    """Images of one to four candidates, background first, as (images, classes, vectors)."""
    draw = torch.Generator().manual_seed(seed)
    shown = [
        [0, *sorted((torch.randperm(classes - 1, generator=draw)[: image % 4] + 1).tolist())] for image in range(count)
    ]
    images = torch.tensor([image for image, rows in enumerate(shown) for _ in rows])
    return images, torch.tensor([row for rows in shown for row in rows]), torch.randn(len(images), 3, generator=draw)


def sampled(images, classes, vectors, most, cuts=()):
    sampler = Sampler(classes, most, int(classes.max()) + 1)
    bounds = [0, *(int((images < cut).sum()) for cut in cuts), len(images)]
    parts = [slice(start, end) for start, end in pairwise(bounds)]
    # each part numbers its images from 0 on, as a window does
    handed = list(sampler.watch((images[part] - images[part][0], classes[part], vectors[part]) for part in parts))
    assert torch.equal(torch.cat([rows for rows, _ in handed]), classes)
    assert torch.equal(torch.cat([rows for _, rows in handed]), vectors)
    return sampler.sample()


def test_all_where_there_are_few_enough():
    images, classes, vectors = table()
    found = sampled(images, classes, vectors, most=1000)
    assert torch.equal(found.images, images) and torch.equal(found.classes, classes)
    assert torch.allclose(found.vectors.norm(dim=1), torch.ones(len(images)).double())
    foreground = found.classes > 0
    assert found.places[foreground].tolist() == list(range(int(foreground.sum())))
    for row, image in enumerate(found.images.tolist()):
        assert found.shown[row].nonzero().flatten().tolist() == classes[images == image].tolist()


def test_evenly_spaced_by_hand():
    classes = torch.tensor([1, 0] * 10)
    found = sampled(torch.arange(20) // 2, classes, torch.ones(20, 2), most=4)
    # of ten the ones at which another fourth is full: 3rd, 5th, 8th, 10th
    assert found.images[found.classes == 1].tolist() == [2, 4, 7, 9]
    assert found.images[found.classes == 0].tolist() == [2, 4, 7, 9]


@pytest.mark.parametrize("most", [1, 3, 7])
def test_never_more_of_a_class_and_never_fewer_than_there_are(most):
    images, classes, vectors = table()
    found = sampled(images, classes, vectors, most)
    assert found.classes.bincount().tolist() == classes.bincount().clamp(max=most).tolist()
    foreground = classes > 0
    assert torch.equal(classes[foreground][found.places[found.classes > 0]], found.classes[found.classes > 0])


@pytest.mark.parametrize("cuts", [(13,), (1, 2, 30)])
def test_windows_do_not_show(cuts):
    images, classes, vectors = table(seed=1)
    whole, cut = (sampled(images, classes, vectors, 5, at) for at in ((), cuts))
    for name in ("images", "classes", "places", "vectors", "shown"):
        assert torch.equal(getattr(whole, name), getattr(cut, name)), name
