import torch

from mars_pl.wsss.seam.maps import min_max_normalise, seeds, strongest_class, with_background


def test_each_map_is_stretched_by_its_own_positive_range_by_hand():
    maps = torch.tensor([[[-1.0, 1.0, 3.0]], [[2.0, 2.0, 2.0]], [[1.0, 2.0, 3.0]]], dtype=torch.float64)
    expected = torch.tensor(
        [
            [[0.0, (1 - 1e-5) / (3 + 1e-5), (3 - 1e-5) / (3 + 1e-5)]],
            [[0.0, 0.0, 0.0]],
            [[0.0, (1 - 1e-5) / (2 + 1e-5), (2 - 1e-5) / (2 + 1e-5)]],
        ],
        dtype=torch.float64,
    )
    assert torch.allclose(min_max_normalise(maps), expected, atol=1e-12)
    assert torch.equal(min_max_normalise(maps[None])[0], min_max_normalise(maps))


def test_no_class_at_all_stays_no_class():
    assert min_max_normalise(torch.zeros(0, 4, 5)).shape == (0, 4, 5)


def test_background_is_what_the_classes_leave():
    maps = torch.tensor([9.0, 0.2, 0.7]).view(1, 3, 1, 1)
    assert torch.allclose(with_background(maps).flatten(), torch.tensor([0.3, 0.2, 0.7]))


def test_only_the_strongest_class_is_left_and_the_background_stays():
    maps = torch.tensor([[0.4, 0.2, 0.6], [0.1, 0.5, 0.5], [1.0, 0.0, 0.0]]).T.view(1, 3, 1, 3)
    expected = torch.tensor([[0.4, 0.0, 0.6], [0.1, 0.5, 0.5], [1.0, 0.0, 0.0]]).T.view(1, 3, 1, 3)
    assert torch.equal(strongest_class(maps), expected)


def test_seeds_by_a_literal_transcription():
    torch.manual_seed(0)
    activation = torch.randn(2, 4, 3, 5, dtype=torch.float64, requires_grad=True)
    result = seeds(activation)
    assert not result.requires_grad
    for image in range(2):
        relu = activation[image].detach().clamp(min=0)
        normal = torch.stack([(relu[k] - 1e-5).clamp(min=0) / (relu[k].max() + 1e-5) for k in range(4)])
        for y in range(3):
            for x in range(5):
                classes = [normal[k, y, x].item() for k in (1, 2, 3)]
                expected = [1 - max(classes), *(value if value == max(classes) else 0.0 for value in classes)]
                assert torch.allclose(result[image, :, y, x], torch.tensor(expected, dtype=torch.float64), atol=1e-12)
