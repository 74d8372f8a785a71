import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import default_collate

from mars_pl.debias.debias_module import DebiasModule, read_centroids
from tests.debias.colours import OBJECT, ColourFeatures, coloured_image


@pytest.fixture
def centroids(tmp_path):
    path = tmp_path / "centroids.safetensors"
    save_file({"centroids": torch.tensor([[0.0, 0, 1], [0.5, 0, 0], [0, 0, 0], [0, 1, 0]])}, path)
    return str(path)


def batch(*classes):
    image = coloured_image("red", "im", truth=False)
    return default_collate([image | {"classes": torch.tensor([float(index in classes) for index in (1, 2, 3)])}])


def test_only_the_centroids_of_the_images_classes_count(centroids):
    module = DebiasModule(ColourFeatures(), centroids, num_classes=4)
    found = module.predict_step(batch(1), 0)
    assert found.id == "im"
    assert found.similarity.shape == (24, 32)
    assert found.similarity[10, 6] == 1
    assert found.similarity[10, 17] == 0  # green is class 3's colour, which the image does not have
    assert module.predict_step(batch(1, 3), 0).similarity[10, 17] == 1
    assert found.similarity[0, 0] == 0  # blue: background's row 0 takes no part


def test_a_class_that_the_image_label_names_is_lifted_where_its_region_is_unlike_it(centroids):
    given = batch(1)
    given["label"] = torch.where(given["label"] == 1, 0, given["label"])
    given["label"][0, 20:, :8] = 1  # blue alone: nothing of it is like red
    lifting = DebiasModule(ColourFeatures(), centroids, num_classes=4, lift=0.5, lift_quantile=1.0)
    assert not lifting.predict_step(given, 0).similarity[20:, :8].any(), "what is zero stays zero"
    given["label"][0, 10, 6] = 1  # one red pixel reaches 1
    plain = DebiasModule(ColourFeatures(), centroids, num_classes=4)
    assert torch.equal(lifting.predict_step(given, 0).similarity, plain.predict_step(given, 0).similarity)
    purple = {**given, "features": torch.tensor([0.2, 0.0, 1.0])[None, :, None, None].expand(1, 3, 6, 8)}
    stored = DebiasModule(None, centroids, num_classes=4, lift=0.5)
    assert stored.predict_step(purple, 0).similarity[10, 6].item() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lift": 1.5}, r"lift 1\.5, lift_quantile 0\.9: similarity and quantile go from 0 to 1"),
        ({"lift": 0.5, "lift_quantile": 0.0}, "lift_quantile 0"),
    ],
)
def test_a_lift_out_of_its_range_is_refused(centroids, options, said):
    with pytest.raises(ValueError, match=said):
        DebiasModule(ColourFeatures(), centroids, num_classes=4, **options)


def test_a_class_without_centroid_leaves_the_others_to_decide(centroids):
    module = DebiasModule(ColourFeatures(), centroids, num_classes=4)
    assert torch.equal(module.predict_step(batch(1, 2), 0).similarity, module.predict_step(batch(1), 0).similarity)


def test_an_image_whose_classes_have_no_centroid_cannot_be_judged(centroids):
    assert DebiasModule(ColourFeatures(), centroids, num_classes=4).predict_step(batch(2), 0).similarity.all()


def test_an_image_without_classes_has_no_object(centroids):
    found = DebiasModule(ColourFeatures(), centroids, num_classes=4).predict_step(batch(), 0)
    assert not found.similarity[OBJECT].any()


def test_several_images_at_a_time_are_an_error(centroids):
    pair = default_collate([coloured_image("red", name, truth=False) for name in ("a", "b")])
    with pytest.raises(ValueError, match="a: one of 2 images in a batch"):
        DebiasModule(ColourFeatures(), centroids, num_classes=4).predict_step(pair, 0)


def test_stored_features_take_the_networks_place(centroids):
    asked, image = DebiasModule(ColourFeatures(), centroids, num_classes=4), batch(1)
    stored = DebiasModule(None, centroids, num_classes=4)
    features = ColourFeatures()(image["image"]).half()
    found = stored.predict_step(image | {"features": features}, 0)
    assert torch.equal(found.similarity, asked.predict_step(image, 0).similarity)
    with pytest.raises(ValueError, match=r"im: no features; set model.feature_extractor or data.feature_folder"):
        stored.predict_step(image, 0)
    with pytest.raises(ValueError, match=r"im: stored features of 2 channels, centroids of 3; make both again"):
        stored.predict_step(image | {"features": features[:, :2]}, 0)


def test_centroids_are_not_among_the_weights(centroids):
    assert not DebiasModule(ColourFeatures(), centroids, num_classes=4).state_dict()


def test_wrong_files_are_told_in_one_line(centroids, tmp_path):
    with pytest.raises(ValueError, match="no such centroids"):
        DebiasModule(ColourFeatures(), str(tmp_path / "none.safetensors"), num_classes=4)
    with pytest.raises(ValueError, match="centroids of 4 classes, the data has 21"):
        DebiasModule(ColourFeatures(), centroids, num_classes=21)
    other = tmp_path / "other.safetensors"
    save_file({"weight": torch.ones(2)}, other)
    with pytest.raises(ValueError, match="not a file of debiased centroids"):
        DebiasModule(ColourFeatures(), str(other), num_classes=4)
    other.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="not a file of debiased centroids"):
        DebiasModule(ColourFeatures(), str(other), num_classes=4)


def test_centroids_that_are_no_numbers_are_refused(tmp_path):
    """Every cosine with them would be below every threshold, and all object pixels would go."""
    save_file({"centroids": torch.tensor([[0.0, 0.0], [1.0, float("nan")]])}, tmp_path / "nan.safetensors")
    with pytest.raises(ValueError, match=r"nan\.safetensors: centroids that are not finite; .* make them again"):
        read_centroids(tmp_path / "nan.safetensors", 2)


@pytest.fixture
def kinds(tmp_path):
    """Class 1 is red and not green; class 2, blue and green, loses nothing; class 3 is green."""
    red, green, blue = torch.eye(3)
    tensors = {"centroids": torch.stack([blue, red, blue, green]), "whole": torch.tensor([1, 0, 1, 0])}
    tensors |= {"targets": torch.zeros(4, 2, 3), "biased": torch.zeros(4, 1, 3), "background": blue[None].clone()}
    tensors["targets"][1, 0], tensors["targets"][3, 0], tensors["biased"][1, 0] = red, green, green
    save_file(tensors, tmp_path / "kinds.safetensors")
    return tmp_path / "kinds.safetensors"


def test_against_both_sides_a_pixel_is_held_against_companion_and_background(kinds):
    module = DebiasModule(ColourFeatures(), str(kinds), num_classes=4, against="both", temperature=0.5)
    found = module.predict_step(batch(1), 0)
    red, other = torch.sigmoid(torch.tensor([2.0, -2.0])).tolist()
    assert found.similarity[10, 6].item() == pytest.approx(red)
    assert found.similarity[10, 17].item() == found.similarity[0, 0].item() == pytest.approx(other)
    assert found.whole == (0, 2)
    assert (
        module.predict_step(batch(2), 0).similarity[10, 17].item() < 0.5
    )  # no targets of its own: the background wins


def test_whole_classes_are_told_whatever_the_map_is_held_against(kinds):
    paper = DebiasModule(ColourFeatures(), str(kinds), num_classes=4).predict_step(batch(1), 0)
    assert paper.whole == (0, 2) and paper.similarity[10, 6] == 1


def test_a_file_without_companions_cannot_be_held_against(centroids):
    assert DebiasModule(ColourFeatures(), centroids, num_classes=4).predict_step(batch(1), 0).whole == ()
    with pytest.raises(ValueError, match=r"no centroids of companions, .* again with centroids=centroids_two_kinds"):
        DebiasModule(ColourFeatures(), centroids, num_classes=4, against="both")
    with pytest.raises(ValueError, match="against 'all' is none of nothing, both"):
        DebiasModule(ColourFeatures(), centroids, num_classes=4, against="all")


def test_both_sides_are_not_lifted(kinds):
    with pytest.raises(ValueError, match=r"lift 0\.6: is of Eq\. 4 alone, against: both has another map"):
        DebiasModule(ColourFeatures(), str(kinds), num_classes=4, against="both", lift=0.6)


@pytest.mark.parametrize(
    ("name", "tensor", "said"),
    [
        ("targets", torch.zeros(3, 2, 3), "kinds of shapes"),
        ("biased", torch.zeros(4, 2, 2), "kinds of shapes"),
        ("background", torch.zeros(3), "kinds of shapes"),
        ("whole", torch.zeros(3), "kinds of shapes"),
        ("biased", torch.full((4, 1, 3), torch.nan), "kinds that are not finite"),
    ],
)
def test_kinds_that_do_not_fit_are_refused(kinds, name, tensor, said):
    save_file(load_file(kinds) | {name: tensor}, kinds)
    with pytest.raises(ValueError, match=f"kinds.safetensors: {said}.*; make them again") as caught:
        DebiasModule(ColourFeatures(), str(kinds), num_classes=4)
    assert "\n" not in str(caught.value)
