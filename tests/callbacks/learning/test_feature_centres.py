import numpy as np
import pytest
import torch
from PIL import Image

from callbacks.learning.feature_centres import FeatureCentres, found_clusters
from datamodules.datasets.beside.out_of_distribution import OutOfDistributionCrops
from datamodules.datasets.random_crops import RandomCrops
from datamodules.errors import DataError
from datamodules.segmentation_data import SegmentationData
from datamodules.synthetic.generator import write_outside
from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.wood.wood_module import OutOfDistributionModule
from tests.fakes.fake_tree import CLASSES, make_voc_tree
from tests.fakes.quiet_trainer import quiet_trainer


@pytest.fixture
def root(tmp_path):
    make_voc_tree(tmp_path / "voc", 8)
    write_outside(tmp_path / "outside", 1, 6)
    return tmp_path / "voc"


def fit(root, callback, training_set, clusters=2, epochs=1, **options):
    data = SegmentationData(
        str(root),
        ["background", *CLASSES],
        validate_split=None,
        batch_size=2,
        workers=0,
        training_set=training_set,
    )
    torch.manual_seed(0)
    network = CAMClassifier(4, "test_resnet", frozen_batch_norm=True)
    module = OutOfDistributionModule(lambda _: network, 4, clusters=clusters, lr=0.0)
    trainer = quiet_trainer(callbacks=[callback], use_distributed_sampler=False, max_epochs=epochs, **options)
    trainer.fit(module, datamodule=data)
    return module, data


def crops(root):
    return OutOfDistributionCrops(str(root.parent / "outside"), crop_size=24, long_side=None, scale=(1.0, 1.0))


def test_means_of_classes_and_clusters_of_the_other_pictures(root):
    module, data = fit(root, FeatureCentres(long_side=None), crops(root))
    found = data.training_set.crops
    module.eval()

    def features(image):
        return module.features(module.network.normalise(image[None]))[0].detach()

    samples = [found.images.read(index) for index in range(len(found.images))]
    for index in range(3):
        own = [features(sample["image"]) for sample in samples if sample["classes"][index]]
        torch.testing.assert_close(module.class_means[index], torch.stack(own).mean(dim=0), rtol=1e-4, atol=1e-5)
    others = torch.stack([features(found.others[index]["image"]) for index in range(6)])
    expected = torch.from_numpy(found_clusters(others.numpy(), 2))
    torch.testing.assert_close(module.ood_centres, expected, rtol=1e-4, atol=1e-5)


def test_two_groups_are_found_from_the_first_features():
    features = np.array([[0, 0], [10, 10], [0, 1], [10, 11]], np.float32)
    assert found_clusters(features, 2).tolist() == [[0, 0.5], [10, 10.5]]


def test_large_pictures_are_made_smaller(root):
    Image.new("RGB", (1000, 400)).save(root.parent / "outside" / "large.jpg")
    callback = FeatureCentres(long_side=50)
    fit(root, callback, crops(root))
    assert callback._smaller(torch.zeros(3, 400, 1000, dtype=torch.uint8)).shape == (3, 20, 50)


def test_centres_of_a_checkpoint_stay(root, tmp_path):
    first, _ = fit(root, FeatureCentres(), crops(root), enable_checkpointing=True, default_root_dir=tmp_path)
    (checkpoint,) = tmp_path.rglob("*.ckpt")
    data = SegmentationData(
        str(root), ["background", *CLASSES], validate_split=None, batch_size=2, workers=0, training_set=crops(root)
    )
    module = OutOfDistributionModule(lambda _: CAMClassifier(4, "test_resnet"), 4, clusters=2, lr=0.0)
    callback = FeatureCentres()
    callback._smaller = None  # would raise
    trainer = quiet_trainer(callbacks=[callback], use_distributed_sampler=False, max_epochs=2)
    trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=False)
    assert torch.equal(module.ood_centres, first.ood_centres)


def test_too_few_pictures_and_other_data_are_refused(root):
    with pytest.raises(DataError, match=r"outside: 6 pictures for 7 clusters; add some, or set model.clusters"):
        fit(root, FeatureCentres(), crops(root), clusters=7)
    with pytest.raises(DataError, match="FeatureCentres: wants OutOfDistributionCrops"):
        fit(root, FeatureCentres(), RandomCrops(crop_size=24))
