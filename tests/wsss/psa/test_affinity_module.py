import pytest
import torch

from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.training.weights import save_weights
from mars_pl.wsss.propagation.random_walk import half_disc, random_walk
from mars_pl.wsss.psa import affinity_module
from mars_pl.wsss.psa.affinity_module import AffinityModule, walked_scores
from mars_pl.wsss.psa.affinity_net import AffinityNet
from mars_pl.wsss.pseudo_label import region_index


def make(**options) -> AffinityModule:
    torch.manual_seed(0)
    return AffinityModule(AffinityNet(TimmIntermediateFeatures("test_resnet")), **options)


def slow_walk(scores, affinity, offsets, alpha, beta, doublings):
    """SEAM's infer_aff.py in float64: a dense matrix, its columns normalised, squared again and again."""
    height, width = affinity.shape[-2:]
    matrix = torch.eye(height * width, dtype=torch.float64)
    for index, (down, right) in enumerate(offsets.tolist()):
        for y in range(height):
            for x in range(width):
                if y + down < height and 0 <= x + right < width:
                    one, other = y * width + x, (y + down) * width + x + right
                    matrix[one, other] = matrix[other, one] = affinity[index, y, x]
    matrix = matrix**beta
    matrix = matrix / matrix.sum(0, keepdim=True)
    for _ in range(doublings):
        matrix = matrix @ matrix
    maps = torch.cat([(1 - scores.max(0, keepdim=True).values) ** alpha, scores])
    cells = torch.nn.functional.avg_pool2d(maps, 2)
    walked = (cells.flatten(1) @ matrix).view(1, len(maps), height, width)
    return torch.nn.functional.interpolate(walked, scale_factor=2, mode="bilinear")[0]


def test_the_walk_agrees_with_the_published_one_and_a_half_is_its_argmax():
    torch.manual_seed(0)
    offsets = half_disc(3)
    scores = torch.rand(2, 8, 10, dtype=torch.float64)
    affinity = torch.rand(len(offsets), 4, 5, dtype=torch.float64)
    ours = walked_scores(scores, affinity, offsets, stride=2, alpha=0.6, beta=3.0, steps=2)
    published = slow_walk(scores, affinity, offsets, alpha=0.6, beta=3, doublings=1)
    assert torch.allclose(ours, published[1:] / (published[1:] + published[:1]), atol=1e-9)
    assert torch.equal(region_index(ours, 0.5), published.argmax(0))
    assert published.argmax(0).unique().tolist() == [0, 1, 2], "the case decides something"


def test_scores_spread_inside_and_stop_where_affinity_ends():
    offsets = half_disc(2)
    affinity = torch.ones(len(offsets), 1, 4)
    affinity[offsets.tolist().index([0, 1]), 0, 1] = 0  # a wall between the second cell and the third
    scores = torch.zeros(1, 2, 8)
    scores[..., :2] = 1
    walked = walked_scores(scores, affinity, offsets, stride=2, alpha=1.0, beta=8.0, steps=64)
    assert (walked[..., :3] > 0.45).all() and (walked[..., 6:] == 0).all()


@pytest.mark.parametrize("scale", [1.0, 1.7])
@pytest.mark.parametrize("classes", [[], [4], [2, 9]])
def test_prediction_keeps_the_classes_and_the_size(classes, scale):
    module = make(steps=2, scale=scale).eval()
    batch = {
        "id": ["a"],
        "image": torch.randint(0, 256, (1, 3, 45, 60), dtype=torch.uint8),
        "scores": torch.rand(1, len(classes), 45, 60),
        "class_ids": torch.tensor([classes], dtype=torch.int64),
    }
    with torch.no_grad():
        out = module.predict_step(batch, 0)
    assert out["id"] == "a" and out["class_ids"].tolist() == classes
    assert out["scores"].shape == (len(classes), 45, 60) and out["scores"].dtype == torch.float32
    assert ((out["scores"] >= 0) & (out["scores"] <= 1)).all()


def test_enlarging_makes_cells_finer():
    """Two halves that share nothing: at scale 2 the wall lies within a cell's width of where it is drawn."""
    image = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    scores = torch.zeros(1, 1, 32, 32)
    scores[..., :4, :4] = 1
    batch = {"id": ["a"], "image": image, "scores": scores, "class_ids": torch.tensor([[1]])}
    found = []
    for scale in (1.0, 2.0):
        module = make(steps=1, beta=0.0, radius=2, alpha=1.0, scale=scale).eval()  # every neighbour counts alike
        with torch.no_grad():
            found.append(int((module.predict_step(batch, 0)["scores"] > 0).sum()))
    assert found[1] < found[0], "one step of one cell reaches half as far"


def halves(height=6, width=6):
    """Means over cells of two halves, background and class 3, with an unsure column between them."""
    competing = torch.zeros(1, 2, 4, height, width)
    middle = width // 2
    competing[0, :, 0, :, : middle - 1] = 1
    competing[0, :, 3, :, middle:] = 1
    competing[0, 0, 0, :, middle - 1] = 1  # the strong background wins there, but not the weak one
    competing[0, 1, 3, :, middle - 1] = 1
    return competing


def test_training_lowers_the_loss_on_one_crop(monkeypatch):
    module = make()
    monkeypatch.setattr(module, "log", lambda *args, **options: None)
    image = torch.full((1, 3, 48, 48), 30, dtype=torch.uint8)
    image[..., 24:] = 220
    batch = {"id": ["a"], "image": image, "competing": halves()}
    optimizer = torch.optim.AdamW(module.parameters(), 1e-3)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        losses.append(module.training_step(batch, 0))
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0] / 2


def test_pairs_that_start_at_the_border_teach_where_they_are_asked_to(monkeypatch):
    image = torch.randint(0, 256, (1, 3, 48, 96), dtype=torch.uint8)
    losses = {}
    for border in (False, True):
        module = make(radius=3, border_pairs=border).eval()
        monkeypatch.setattr(module, "log", lambda *args, **options: None)
        starts = module._counted(torch.zeros(1, 1, 6, 12))
        assert starts.sum() == (4 * 8 if not border else 6 * 12)
        losses[border] = module.training_step({"id": ["a"], "image": image, "competing": halves(6, 12)}, 0).item()
    assert losses[False] != pytest.approx(losses[True])


@pytest.mark.parametrize(("border", "reached"), [(False, [[5, 2], [7, 0]]), (True, None)])
def test_the_walk_too_leaves_out_pairs_that_start_at_the_border(monkeypatch, border, reached):
    """The lower left cell of 8×8 ends one pair that starts inside; with the others it has eight neighbours."""
    seen = []
    monkeypatch.setattr(
        affinity_module, "walked_scores", lambda scores, affinity, *_, **__: seen.append(affinity) or scores
    )
    module = make(radius=3, border_pairs=border).eval()
    batch = {"id": ["a"], "image": torch.zeros(1, 3, 64, 64, dtype=torch.uint8), "scores": torch.ones(1, 1, 64, 64)}
    with torch.no_grad():
        module.predict_step(batch | {"class_ids": torch.tensor([[1]])}, 0)
    cells = torch.zeros(1, 8, 8)
    cells[0, 7, 0] = 1
    found = random_walk(cells, module.offsets, seen[0], exponent=1, steps=1)[0].nonzero().tolist()
    near = [[y, x] for y in range(8) for x in range(8) if (7 - y) ** 2 + x**2 < 9]
    assert found == (reached or near) and len(near) == 9


def test_cells_of_another_size_are_refused():
    batch = {"id": ["a"], "image": torch.zeros(1, 3, 48, 48, dtype=torch.uint8), "competing": halves(12, 12)}
    with pytest.raises(ValueError, match=r"data\.training_set\.cell: 8 pixels in this network"):
        make().training_step(batch, 0)


def test_groups_have_their_rates_and_weights_come_back(tmp_path):
    module = make(lr=0.01)
    module._trainer = type("Trainer", (), {"estimated_stepping_batches": 10, "barebones": False})()
    optimizer = module.configure_optimizers()["optimizer"]
    assert [group["initial_lr"] for group in optimizer.param_groups] == pytest.approx([0.01, 0.1])
    module.network.merge.weight.data.fill_(2)
    save_weights(module.export(), tmp_path / "w.safetensors")
    assert (make(weights=str(tmp_path / "w.safetensors")).network.merge.weight == 2).all()
