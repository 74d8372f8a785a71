"""AffinityNet: maps of confident labels to loss and gradient, image and scores to walked label, in float64."""

import numpy as np
import torch

from datamodules.datasets.cell_crops import CellCrops
from datamodules.datasets.split_reader import SplitReader
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.scores import read_scores, write_scores
from datamodules.files.tree import Tree, read_image
from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.wsss.psa.affinity_module import AffinityModule
from mars_pl.wsss.psa.affinity_net import AffinityNet
from mars_pl.wsss.pseudo_label import region_index
from tests.fakes.fake_tree import make_voc_tree
from tests.fidelity.published import psa as published
from tests.fidelity.published.seam import normalised

CLASSES = [4, 17]


def module(**options):
    torch.manual_seed(0)
    return AffinityModule(AffinityNet(TimmIntermediateFeatures("test_resnet")), **options).double().eval()


def smooth(channels, height, width, seed):
    """Maps in [0, 1] that sum to 1 over their channels, soft between regions."""
    generator = torch.Generator().manual_seed(seed)
    coarse = 6 * torch.rand(1, channels, 5, 5, generator=generator)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0].softmax(0)


def test_maps_of_confident_labels_to_cells_loss_and_gradient(tmp_path, monkeypatch):
    """The files as the stage writes them, through the data's crops, to the module's loss."""
    names = make_voc_tree(tmp_path, 2, pseudo="Confident")
    for index, name in enumerate(names):
        height, width = read_image(tmp_path / f"JPEGImages/{name}.jpg").shape[-2:]
        maps = [smooth(3, height, width, 10 * index + alpha) for alpha in (4, 24)]
        write_scores(tmp_path / f"Confident/{name}.npz", np.array([0, *CLASSES] * 2), torch.cat(maps).numpy())
    reader = SplitReader(Tree(tmp_path), CLASS_NAMES["voc"], image_labels="auto", label_folder="Confident")
    crops = CellCrops(crop_size=96, long_side=None, flip=False).fit_set(reader, "all", 0)
    samples = [crops[0, index] for index in range(2)]

    labels, ours = [], module()
    monkeypatch.setattr(ours, "log", lambda *args, **options: None)
    for sample in samples:
        whole = read_scores(tmp_path / f"Confident/{sample['id']}.npz")[1].double()
        cut = torch.zeros(6, 96, 96, dtype=torch.float64)  # the container of zeros into which the image is put
        cut[:, sample["valid"]] = whole.flatten(1)
        label = published.cell_label(cut[:3], cut[3:])
        labels.append(torch.where(label == 255, 255, torch.tensor([0, *CLASSES, *[0] * 253])[label]))
    assert {0, 4, 17, 255} == set(torch.stack(labels).unique().tolist())

    batch = {"id": [sample["id"] for sample in samples]}
    batch |= {key: torch.stack([sample[key] for sample in samples]) for key in ("image", "competing")}
    loss = ours.training_step(batch, 0)
    loss.backward()
    found = {name: value.grad.clone() for name, value in ours.network.named_parameters() if value.grad is not None}
    ours.network.zero_grad()
    x = torch.cat([normalised(image.permute(1, 2, 0).numpy()) for image in batch["image"]])
    expected_loss = published.affinity_loss(published.affinities(ours.network, x), labels)
    expected_loss.backward()
    expected = {name: value.grad for name, value in ours.network.named_parameters() if value.grad is not None}
    assert abs(loss - expected_loss) < 1e-6
    largest = max(value.abs().max() for value in expected.values())
    assert found.keys() == expected.keys() and largest > 1e-3
    assert max((found[name] - expected[name]).abs().max() for name in expected) < 1e-5 * largest


def test_image_and_scores_to_walked_label():
    ours = module()  # SEAM's alpha, beta and steps
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 256, (90, 117, 3)).astype(np.uint8)
    scores = smooth(3, 90, 117, 3)[1:].double()
    scores = scores / scores.amax((1, 2), keepdim=True)
    batch = {
        "id": ["a"],
        "image": torch.from_numpy(shown).permute(2, 0, 1)[None],
        "scores": scores[None],
        "class_ids": torch.tensor([CLASSES]),
    }
    with torch.no_grad():
        out = ours.predict_step(batch, 0)["scores"]
        label, walked = published.walked_label(ours.network, normalised(shown), scores, CLASSES, 6, 8, 6)
    share = walked[1:] / (walked[1:] + walked[:1])
    assert (out - share).abs().max() < 1e-6
    decided = (walked.sort(0, descending=True).values.diff(dim=0)[0]).abs() > 1e-6
    assert torch.equal(torch.tensor([0, *CLASSES])[region_index(out, 0.5)][decided], label[decided])
    assert decided.double().mean() > 0.999 and len(label.unique()) == 3
