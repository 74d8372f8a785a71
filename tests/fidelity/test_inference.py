"""Prediction of whole images beside the published multi-scale tests, in float64: image to probabilities and label."""

from contextlib import chdir

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml
from PIL import Image
from torch import nn

from datamodules.files.labels import read_label
from mars_pl.cli.main import main
from mars_pl.networks.normalise import Normalise
from mars_pl.segment.segmentation_module import SegmentationModule
from tests.fakes.fake_tree import make_voc_tree
from tests.fidelity.published import inference

CLASSES, SCALES = 5, (1.0, 0.5, 1.5, 2.0)
SIZES = [(40, 56), (41, 50), (33, 47)]


class Small(nn.Module):
    """Two convolutions to logits at 1/4, and to the image's size where told; weights by its seed."""

    def __init__(self, num_classes=CLASSES, enlarge=False):
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        self.normalise, self.enlarge = Normalise(), enlarge
        self.first = nn.Parameter(0.4 * torch.randn(12, 3, 5, 5, generator=draw))
        self.second = nn.Parameter(0.4 * torch.randn(num_classes, 12, 5, 5, generator=draw))

    def logits(self, normalised):
        first, second = self.first.to(normalised.dtype), self.second.to(normalised.dtype)
        return F.conv2d(F.conv2d(normalised, first, stride=2, padding=2).relu(), second, stride=2, padding=2)

    def forward(self, image):
        logits = self.logits(self.normalise(image))
        return F.interpolate(logits, image.shape[-2:], mode="bilinear", align_corners=True) if self.enlarge else logits


@pytest.fixture
def image(request):
    """Blobs with some noise, (3, H, W)."""
    draw = torch.Generator().manual_seed(request.param[0])
    coarse = F.interpolate(torch.rand(1, 3, 5, 6, generator=draw), request.param, mode="bicubic")[0]
    noise = 0.1 * torch.randn(3, *request.param, generator=draw)
    return (255 * (coarse + noise)).clamp(0, 255).to(torch.uint8)


def in_double(network):
    return lambda view: network.logits(view[None])[0].detach()


def predicted(image, network=None, **options):
    module = SegmentationModule(
        lambda _: network or Small(), CLASSES, scales=options.pop("scales", SCALES), least_probability=0.0, **options
    ).eval()
    with torch.no_grad():
        return module.predict_step({"id": ["a"], "image": image[None]}, 0).probabilities


@pytest.mark.parametrize("image", SIZES, indirect=True)
def test_corners_have_dhrs_probabilities(image):
    wanted = inference.dhr(in_double(Small()), image)
    assert (predicted(image, resampling="corners") - wanted).abs().max() < 1e-5
    assert (predicted(image, resampling="centres") - wanted).abs().max() > 0.01


@pytest.mark.parametrize("image", SIZES[:1], indirect=True)
def test_the_grid_is_that_of_scale_1_in_any_order(image):
    wanted = predicted(image, resampling="corners")
    assert (predicted(image, resampling="corners", scales=sorted(SCALES)) - wanted).abs().max() < 1e-6


def test_a_yaml_with_corners_gives_dhrs_labels(tmp_path):
    """From JPEG files to PNG files, by the command, with segment.yaml's scales and flips."""
    classes = 21
    ids = make_voc_tree(tmp_path / "data" / "voc", 4, image_labels="npy")
    network = {"class_path": "tests.fidelity.test_inference.Small"}
    (tmp_path / "corners.yaml").write_text(
        yaml.safe_dump({"model": {"init_args": {"network": network, "resampling": "corners"}}})
    )
    names = ("data/voc", "segment/segment", "corners.yaml", "segment/predictions", "trainer/cpu")
    words = [word for name in names for word in ("-c", name)]
    words += ["--data.init_args.predict_split", "all", "--data.init_args.workers", "0"]
    words += ["--writer.init_args.refine", "null", "--writer.init_args.workers", "0"]
    words += ["--trainer.default_root_dir", "out"]
    with chdir(tmp_path):
        assert main(["predict", *words]) == 0
    shown = set()
    for image_id in ids:
        pixels = np.asarray(Image.open(tmp_path / "data/voc/JPEGImages" / f"{image_id}.jpg").convert("RGB"))
        image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
        wanted = inference.dhr(in_double(Small(classes)), image)
        best = wanted.topk(2, 0)
        sure = best.values[0] - best.values[1] > 1e-5
        [written] = (tmp_path / "out").rglob(f"{image_id}.png")
        assert sure.float().mean() > 0.99
        assert torch.equal(torch.from_numpy(read_label(written).astype(np.int64))[sure], best.indices[0][sure])
        shown |= set(best.indices[0].unique().tolist())
    assert len(shown) > 3


@pytest.mark.parametrize("image", SIZES, indirect=True)
def test_centres_are_rsepms_but_for_three_points(image):
    """The deviation: sides rounded, smaller views antialiased, softmax before the enlarging."""
    found = predicted(image, resampling="centres")
    assert (found - inference.rsepm(in_double(Small()), image, as_ours=True)).abs().max() < 1e-5
    beside = (found - inference.rsepm(in_double(Small()), image)).abs()
    assert 0.01 < beside.max() < 0.5 and beside.mean() < 0.07


@pytest.mark.parametrize("image", SIZES, indirect=True)
def test_corners_and_logits_are_deeplabv1s_of_the_same_views(image):
    """Its network enlarges its logits to the view; published views are OpenCV's bicubic ones, ours bilinear."""
    size = image.shape[1:]
    sides = [[int(side * scale) for side in size] for scale in SCALES]
    views = [inference.resized(inference.normalised(image), cut, inference.corners) for cut in sides]
    wanted = inference.seamv1(in_double(Small()), image, views)
    found = predicted(image, Small(enlarge=True), resampling="corners", average="logits")
    assert (found - wanted).abs().max() < 2e-5
    centred = predicted(image, Small(enlarge=True), resampling="centres", average="logits")
    assert (centred - wanted).abs().max() > 1e-3
