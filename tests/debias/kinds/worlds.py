"""Candidates drawn around a few directions: objects, companions and grounds."""

import torch
from torch.nn.functional import normalize

from mars_pl.debias.kinds.sample import Sampler

GROUND, COMPANION, OBJECT, LEGS = torch.eye(6)[:4]


def around(direction, count, draw, spread=0.15):
    return normalize(direction + spread * torch.randn(count, len(direction), generator=draw), dim=1)


def world(second, images=40, seed=0, elsewhere=COMPANION):
    """Half of the images show class 1, an object and ``second``; the others have ``elsewhere`` in their background.

    Returns:
        (images, classes, vectors) as a table's window has them.
    """
    draw = torch.Generator().manual_seed(seed)
    rows = []
    for image in range(images):
        if image % 2:
            vectors = [around(GROUND, 2, draw), around(OBJECT, 1, draw), around(second, 1, draw)]
            rows.append((image, (0, 0, 1, 1), torch.cat(vectors)))
        else:
            rows.append((image, (0, 0), torch.cat([around(GROUND, 1, draw), around(elsewhere, 1, draw)])))
    numbers = torch.tensor([image for image, classes, _ in rows for _ in classes])
    return (
        numbers,
        torch.tensor([index for _, classes, _ in rows for index in classes]),
        torch.cat([r[2] for r in rows]),
    )


def sample_of(table, most=1000, num_classes=2):
    sampler = Sampler(table[1], most, num_classes)
    list(sampler.watch([table]))
    return sampler.sample()
