import math

import pytest
import torch

from mars_pl.wsss.rsepm.self_correlation import SelfCorrelationGuidance, guided_scores, self_correlation


def literal_correlation(features, first_cut, second_cut):
    """Cell by cell, of one image (D, h, w) in float64."""
    cells = [tuple(column) for column in features.flatten(1).T.tolist()]
    n = len(cells)

    def norm(cell):
        return math.sqrt(sum(value * value for value in cell))

    def share(matrix):
        sums = [sum(matrix[i][j] for i in range(n)) for j in range(n)]
        return [[matrix[i][j] / (sums[j] + 1e-10) for j in range(n)] for i in range(n)]

    cosine = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            value = sum(a * b for a, b in zip(cells[i], cells[j], strict=True)) / (norm(cells[i]) * norm(cells[j]))
            cosine[i][j] = value if value > 0 and value >= first_cut else 0.0
    first = share(cosine)
    others = share([[0.0 if i == j else cosine[i][j] for j in range(n)] for i in range(n)])
    second = share([[sum(others[i][k] * others[k][j] for k in range(n)) for j in range(n)] for i in range(n)])
    second = [[value if value >= second_cut / n else 0.0 for value in row] for row in second]
    return share([[max(first[i][j], second[i][j]) for j in range(n)] for i in range(n)])


def literal_scores(scores, correlation, foreground, background):
    """Class by class, of one image: (C, h, w) lists and an n×n list."""
    n = len(correlation)

    def stretch(values):
        low, high = min(values), max(values)
        return [(value - low) / (high - low + 1e-10) for value in values]

    columns = [stretch([correlation[i][j] for i in range(n)]) for j in range(n)]
    result = []
    for channel in scores.flatten(1).tolist():
        near, far = [0.0] * n, [0.0] * n
        for j, score in enumerate(channel):
            for i in range(n):
                near[i] += columns[j][i] if score >= foreground else 0.0
                far[i] += columns[j][i] if score <= background else 0.0
        near, far = stretch(near), stretch(far)
        result.append(stretch([max(a - b, 0.0) for a, b in zip(near, far, strict=True)]))
    return torch.tensor(result, dtype=torch.float64).view_as(scores)


@pytest.mark.parametrize(("first_cut", "second_cut"), [(0.5, 0.1), (0.0, 0.0), (0.8, 1.5)])
def test_equals_the_literal_formulas(first_cut, second_cut):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 3, 4, generator=generator, dtype=torch.float64)
    scores = torch.rand(2, 2, 3, 4, generator=generator, dtype=torch.float64)
    scores[0, 1] = 0
    correlation = self_correlation(features, first_cut, second_cut)
    guided = guided_scores(scores, correlation, 0.6, 0.2)
    for image in range(2):
        expected = literal_correlation(features[image], first_cut, second_cut)
        assert torch.allclose(correlation[image], torch.tensor(expected, dtype=torch.float64), atol=1e-9)
        assert torch.allclose(guided[image], literal_scores(scores[image], expected, 0.6, 0.2), atol=1e-7)


def test_two_alike_cells_and_a_stranger():
    """Columns: the pair halves between its two cells; the second order adds nothing; the third cell keeps to itself."""
    features = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 5.0]]).view(1, 2, 1, 3)
    expected = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    correlation = self_correlation(features)
    assert torch.allclose(correlation[0, 2], expected[2])
    # the pair's second order is 1 on the diagonal (there and back), which outweighs the first: shares 2/3 and 1/3
    assert torch.allclose(correlation[0, :2, :2], torch.tensor([[2 / 3, 1 / 3], [1 / 3, 2 / 3]]))


def test_one_seed_reaches_all_that_looks_alike():
    features = torch.zeros(1, 2, 2, 4)
    features[:, 0, :, :2] = 1
    features[:, 1, :, 2:] = 1
    scores = torch.full((1, 1, 2, 4), 0.2)
    scores[0, 0, 0, 0], scores[0, 0, 1, 3] = 0.9, 0.0
    guided = SelfCorrelationGuidance()(features, scores)[0, 0]
    assert (guided[:, :2] > 0.1).all()
    assert guided[0, 0] == pytest.approx(1)
    assert (guided[:, 2:] == 0).all()


def test_a_class_without_seeds_has_no_scores():
    features = torch.randn(1, 4, 3, 3)
    scores = torch.stack([torch.zeros(3, 3), torch.full((3, 3), 0.2)])[None]
    assert not SelfCorrelationGuidance()(features, scores).any()


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_a_training_in_half_precision_guides_as_one_in_float32(precision):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(1, 4, 3, 3, generator=generator).to(precision)
    scores = torch.rand(1, 2, 3, 3, generator=generator)
    scores[:, 1] = 0  # a class that is not in the image
    expected = SelfCorrelationGuidance()(features, scores)
    with torch.autocast("cpu", dtype=precision):
        guided = SelfCorrelationGuidance()(features, scores)
    assert guided.dtype == torch.float32 and torch.equal(guided, expected)
    assert guided[:, 0].max() == 1 and not guided[:, 1].any()


@pytest.mark.parametrize(("foreground", "background"), [(0.1, 0.3), (0.3, 0.3), (1.2, 0.1), (0.3, -0.1)])
def test_scores_in_the_wrong_order_are_refused(foreground, background):
    with pytest.raises(ValueError, match="background < foreground"):
        SelfCorrelationGuidance(foreground=foreground, background=background)
