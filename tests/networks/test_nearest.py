import numpy as np
import pytest
import torch
from PIL import Image

from mars_pl.networks.nearest import resize_nearest


def test_every_new_pixel_takes_the_one_under_its_centre():
    maps = torch.arange(8).expand(1, 8, 8)
    assert resize_nearest(maps, (8, 2))[0, 0].tolist() == [2, 6]
    assert resize_nearest(maps, (8, 16))[0, 0].tolist() == [side // 2 for side in range(16)]
    assert torch.equal(resize_nearest(maps, (8, 8)), maps)


def test_maps_of_any_type_and_number_of_dimensions():
    cells = torch.tensor([[0, 1], [2, 3]])
    assert resize_nearest(cells, (2, 4)).tolist() == [[0, 0, 1, 1], [2, 2, 3, 3]]
    assert resize_nearest(cells[None, None] > 1, (1, 1)).tolist() == [[[[True]]]]
    assert resize_nearest(cells.half(), (1, 2)).dtype == torch.float16


def test_a_centre_on_a_border_belongs_to_what_begins_there():
    assert resize_nearest(torch.tensor([[0, 1], [2, 3]]), (1, 3)).tolist() == [[2, 3, 3]]  # 1.5 of 3 is 1 of 2


@pytest.mark.parametrize(("old", "new"), [((321, 513), (41, 65)), ((37, 50), (111, 29)), ((1, 5), (3, 7))])
def test_pil_takes_the_same_pixels(old, new):
    draw = torch.Generator().manual_seed(0)
    label = torch.randint(0, 256, old, generator=draw, dtype=torch.uint8)
    wanted = Image.fromarray(label.numpy()).resize(new[::-1], Image.Resampling.NEAREST)
    assert torch.equal(resize_nearest(label, new), torch.from_numpy(np.asarray(wanted).copy()))
