import pytest
import torch
from torch.utils.data import default_collate

from mars_pl.debias.centroid_module import CentroidModule
from tests.debias.colours import COMPANION, OBJECT, ColourFeatures, coloured_image


def batch(**changes):
    return default_collate([coloured_image("red", "im", truth=False) | changes])


def test_regions_become_centroids_of_their_colours():
    found = CentroidModule(ColourFeatures(), num_classes=4).predict_step(batch(), 0)
    candidates = found.candidates
    assert candidates.ids == ("im",) * 3
    assert candidates.classes.tolist() == [0, 1, 1]  # the ground has one colour: one cluster, though two were asked for
    assert candidates.vectors[0].tolist() == [0, 0, 1]
    assert {tuple(vector) for vector in candidates.vectors[1:].tolist()} == {(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)}
    assert candidates.pixels.tolist() == [24 * 32 - 128 - 1, 64, 64]  # the ignored pixel is no background
    assert found.empty == ()


def test_stored_features_take_the_networks_place():
    asked, image = CentroidModule(ColourFeatures(), num_classes=4), batch()
    stored = CentroidModule(None, num_classes=4)
    features = ColourFeatures()(image["image"]).half()
    found = stored.predict_step(image | {"features": features}, 0)
    assert torch.equal(found.candidates.vectors, asked.predict_step(image, 0).candidates.vectors)
    with pytest.raises(ValueError, match=r"im: no features; set model.feature_extractor or data.feature_folder"):
        stored.predict_step(image, 0)


def test_a_candidates_region_is_its_part_of_the_label():
    found = CentroidModule(ColourFeatures(), num_classes=4).predict_step(batch(), 0)
    label = batch()["label"][0]
    red = next(row for row, vector in enumerate(found.candidates.vectors.tolist()) if vector == [1, 0, 0])
    region = found.region(red, label)
    assert region[OBJECT].all()
    assert region.sum() == 64
    assert not region[COMPANION].any()


def test_pixels_in_cells_of_another_majority_go_to_the_nearest_centroid():
    label = coloured_image("red", "im", truth=False)["label"]
    label[16, 4:12] = 1  # one row into the cells below, whose majority is background
    found = CentroidModule(ColourFeatures(), num_classes=4).predict_step(batch(label=label), 0)
    assert int(found.candidates.pixels[1:].sum()) == int((label == 1).sum()) == 136


def test_only_the_classes_of_the_image_are_regions_and_empty_ones_are_told():
    label = torch.zeros(24, 32, dtype=torch.long)
    label[:8] = 2  # a class the image does not have
    label[20, 20] = 1  # covers no cell
    found = CentroidModule(ColourFeatures(), num_classes=4).predict_step(batch(label=label), 0)
    assert set(found.candidates.classes.tolist()) == {0}
    assert found.empty == (1,)


def test_an_image_without_background_contributes_none():
    label = torch.ones(24, 32, dtype=torch.long)
    found = CentroidModule(ColourFeatures(), num_classes=4).predict_step(batch(label=label), 0)
    assert found.candidates.classes.tolist() == [1, 1]
    assert found.empty == (0,)


def test_nothing_but_ignored_pixels_gives_no_candidate():
    label = torch.full((24, 32), 254)
    found = CentroidModule(ColourFeatures(), num_classes=4).predict_step(batch(label=label), 0)
    assert len(found.candidates) == 0
    assert found.candidates.vectors.shape == (0, 3)


def test_level_pixel_clusters_upsampled_features():
    module = CentroidModule(ColourFeatures(), num_classes=4, level="pixel", stride=3, foreground_clusters=1)
    found = module.predict_step(batch(), 0)
    assert {tuple(nearest.shape) for nearest in found.assignments.values()} == {(8, 11)}
    assert int((found.candidates.classes == 1).sum()) == 1
    assert torch.allclose(found.candidates.vectors.norm(dim=1), torch.ones(len(found.candidates)))


def test_truth_is_never_read():
    with_truth = default_collate([coloured_image("red", "im", truth=True)])
    module = CentroidModule(ColourFeatures(), num_classes=4)
    assert torch.equal(
        module.predict_step(with_truth, 0).candidates.vectors, module.predict_step(batch(), 0).candidates.vectors
    )


@pytest.mark.parametrize("key", ["label", "classes"])
def test_a_batch_that_lacks_something_is_an_error(key):
    lacking = batch()
    del lacking[key]
    with pytest.raises(ValueError, match=f"im: a batch without {key}"):
        CentroidModule(ColourFeatures(), num_classes=4).predict_step(lacking, 0)
