import pytest
import torch

from mars_pl.segment.inference import multi_scale_probabilities
from mars_pl.segment.sliding_window import SlidingWindow, slide

IMAGES = torch.randint(0, 256, (2, 3, 21, 34), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("length", "spans"),
    [
        (7, [(0, 7)]),
        (10, [(0, 10)]),
        (11, [(0, 10), (1, 11)]),
        (16, [(0, 10), (6, 16)]),
        (23, [(0, 10), (6, 16), (12, 22), (13, 23)]),
    ],
)
def test_windows_cover_a_side_and_none_is_taken_twice(length, spans):
    assert [(span.start, span.stop) for span in SlidingWindow(10, 6).spans(length)] == spans


def test_two_thirds_of_the_side_by_default():
    assert [SlidingWindow(side).step for side in (1, 2, 10, 768)] == [1, 1, 6, 512]


def test_a_window_that_covers_the_image_is_the_whole_image(make_network):
    network = make_network().eval()

    def predict(images):
        return multi_scale_probabilities(network, images, (1.0, 0.5), flip=True)

    with torch.no_grad():
        whole = predict(IMAGES)
        for side in (34, 100):
            assert torch.equal(slide(predict, IMAGES, SlidingWindow(side)), whole)
        assert not torch.allclose(slide(predict, IMAGES, SlidingWindow(20)), whole, atol=1e-3)


def test_what_looks_at_each_pixel_alone_is_not_changed_by_windows():
    def predict(images):
        bright = images.float().mean(1, keepdim=True) / 255
        return torch.cat([bright, 1 - bright], dim=1)

    assert torch.allclose(slide(predict, IMAGES, SlidingWindow(9, 4)), predict(IMAGES))


def test_overlapping_windows_are_averaged():
    seen = iter([0.0, 0.6, 0.9])
    maps = slide(
        lambda images: torch.full((1, 1, 1, images.shape[-1]), next(seen)), IMAGES[:1, :, :1, :8], SlidingWindow(4, 2)
    )
    assert maps.flatten().tolist() == pytest.approx([0, 0, 0.3, 0.3, 0.75, 0.75, 0.9, 0.9])


def test_the_network_never_sees_more_than_a_window():
    sizes = []

    def predict(images):
        sizes.append(tuple(images.shape[-2:]))
        return images[:, :1].float()

    slide(predict, IMAGES, SlidingWindow(16, 16))
    assert sizes == [(16, 16)] * 6


@pytest.mark.parametrize(("side", "stride"), [(0, None), (4, 0), (4, 5)])
def test_windows_that_leave_pixels_out_are_refused(side, stride):
    with pytest.raises(ValueError, match="window: side"):
        SlidingWindow(side, stride)
