import pytest
import torch

from mars_pl.wsss.rsepm.edge_predict_mix import EdgePredictMix, edge_strength, outline_sharpness


def literal_edges(probabilities):
    """Pixel by pixel, of one image (K, h, w)."""
    classes, height, width = probabilities.shape
    edges = torch.zeros(height, width, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            for k in range(classes):
                for down, right in ((0, 1), (1, 0)):
                    if y + down < height and x + right < width:
                        step = abs(float(probabilities[k, y, x] - probabilities[k, y + down, x + right]))
                        edges[y, x] = max(float(edges[y, x]), step)
    return edges


def literal_sharpness(probabilities):
    """Class by class, pixel by pixel, of one image (K, h, w)."""
    classes, height, width = probabilities.shape
    edges, region = literal_edges(probabilities), probabilities.argmax(0)
    result = []
    for k in range(classes):
        found = []
        for y in range(height):
            for x in range(width):
                neighbours = [(y + 1, x)] * (y + 1 < height) + [(y, x + 1)] * (x + 1 < width)
                if any((region[y, x] == k) != (region[place] == k) for place in neighbours):
                    found.append(float(edges[y, x]))
        result.append(sum(found) / len(found) if found else 0.0)
    return result


def test_edges_and_sharpness_equal_the_literal_formulas():
    logits = torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    probabilities = (2 * logits).softmax(1)
    for image in range(2):
        assert torch.allclose(edge_strength(probabilities)[image], literal_edges(probabilities[image]))
        expected = literal_sharpness(probabilities[image])
        assert outline_sharpness(probabilities)[image].tolist() == pytest.approx(expected, abs=1e-6)


def test_edge_of_a_row_by_hand():
    foreground = torch.tensor([0.1, 0.1, 0.9, 0.6])
    edges = edge_strength(torch.stack([1 - foreground, foreground]).view(1, 2, 1, 4)).flatten()
    assert edges.tolist() == pytest.approx([0.0, 0.8, 0.3, 0.0])


def test_a_class_that_is_everywhere_or_nowhere_has_no_outline():
    probabilities = torch.tensor([0.9, 0.1]).view(1, 2, 1, 1).expand(1, 2, 3, 3)
    assert outline_sharpness(probabilities).tolist() == [[0.0, 0.0]]


SIZE = 8


def batch(*boxes, sharp=0.95):
    """One image a box (class, columns): ``sharp`` is the class's probability inside and the background's outside."""
    count, classes = len(boxes), torch.zeros(len(boxes), 3)
    image = torch.stack([torch.full((3, SIZE, SIZE), 10 * (index + 1), dtype=torch.uint8) for index in range(count)])
    probabilities = torch.zeros(count, 4, SIZE, SIZE)
    label = torch.zeros(count, SIZE, SIZE, dtype=torch.int64)
    for index, (class_id, columns) in enumerate(boxes):
        inside = torch.zeros(SIZE, SIZE, dtype=torch.bool)
        inside[:, columns] = True
        probabilities[index, 0] = torch.where(inside, 1 - sharp, sharp)
        probabilities[index, class_id] = torch.where(inside, sharp, 1 - sharp)
        label[index][inside] = class_id
        classes[index, class_id - 1] = 1
    return image, label, classes, probabilities, torch.ones(count, SIZE, SIZE, dtype=torch.bool)


def test_an_object_brings_pixels_seeds_and_class():
    image, label, classes, probabilities, valid = batch((1, slice(0, 3)), (2, slice(2, 6)))
    label[0, 0, 0] = 255
    mixed = EdgePredictMix()(image, label, classes, probabilities, valid)
    assert mixed.image[0, 0, 4].tolist() == [10, 10, 10, 20, 20, 20, 20, 20]
    assert mixed.label[0, 4].tolist() == [1, 1, 1, 2, 2, 2, 0, 0]
    assert mixed.label[0, 0, 0] == 255
    assert mixed.classes[0].tolist() == [1, 1, 0]
    assert mixed.image[1, 0, 4].tolist() == [10, 10, 20, 20, 20, 20, 10, 10]
    assert mixed.label[1, 4].tolist() == [1, 1, 2, 2, 2, 2, 0, 0]


def test_a_class_that_is_wholly_covered_is_gone():
    mixed = EdgePredictMix()(*batch((1, slice(0, 6)), (2, slice(2, 4))))
    assert mixed.classes[0].tolist() == [1, 0, 0]
    assert (mixed.label[0] != 2).all()
    assert mixed.classes[1].tolist() == [1, 1, 0]


def test_a_class_below_that_the_network_does_not_see_stays():
    image, label, classes, probabilities, valid = batch((1, slice(0, 6)), (2, slice(2, 4)))
    classes[1, 2] = 1
    assert EdgePredictMix()(image, label, classes, probabilities, valid).classes[0].tolist() == [1, 0, 1]


def test_a_blurred_object_does_not_move():
    image, label, classes, probabilities, valid = batch((1, slice(0, 3)), (2, slice(2, 6)), sharp=0.6)
    mixed = EdgePredictMix(sharpness=0.3)(image, label, classes, probabilities, valid)
    assert torch.equal(mixed.image, image.roll(-1, 0))
    assert torch.equal(mixed.label, label.roll(-1, 0))
    assert torch.equal(mixed.classes, classes.roll(-1, 0))
    moved = EdgePredictMix(sharpness=0.19)(image, label, classes, probabilities, valid)
    assert not torch.equal(moved.image, image.roll(-1, 0))


def test_padding_does_not_move():
    image, label, classes, probabilities, valid = batch((1, slice(0, 3)), (2, slice(2, 6)))
    valid[0, :, :2] = False
    mixed = EdgePredictMix()(image, label, classes, probabilities, valid)
    assert mixed.image[0, 0, 4].tolist() == [20, 20, 10, 20, 20, 20, 20, 20]


def test_every_mixed_pixel_comes_from_one_of_two_images_with_its_seed():
    generator = torch.Generator().manual_seed(0)
    probabilities = (4 * torch.randn(3, 4, 4, 4, generator=generator)).softmax(1)
    image = torch.randint(0, 256, (3, 3, 16, 16), generator=generator, dtype=torch.uint8)
    label = image[:, 0].long()  # so that a label tells its pixel
    valid = torch.ones(3, 16, 16, dtype=torch.bool)
    mixed = EdgePredictMix(0.0)(image, label, torch.ones(3, 3), probabilities, valid)
    assert torch.equal(mixed.label, mixed.image[:, 0].long())
    ours = (mixed.image == image).all(1)
    theirs = (mixed.image == image.roll(-1, 0)).all(1)
    assert (ours | theirs).all()
    assert ours.any() and theirs.any()


def test_a_sharpness_beyond_one_is_refused():
    with pytest.raises(ValueError, match="sharpness"):
        EdgePredictMix(1.5)
