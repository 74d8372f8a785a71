import numpy as np
import pytest

from datamodules.contradictions import DENIED, LACKING
from datamodules.faults import Fault
from datamodules.files.image_labels import ImageLabels
from datamodules.shown_classes import check_shown, warn_of_contradictions


def shown(class_ids):
    """Return the labels of one image."""
    return ImageLabels(np.array(class_ids, np.uint8), np.array([0, len(class_ids)]), 30)


MANY = ["background", *(f"thing {index}" for index in range(30))]


def test_many_classes_that_no_image_shows_are_counted():
    labels = shown([1])
    with pytest.warns(UserWarning, match=r"train: no image shows thing 1, .*, thing 20 and 9 more; nothing"):
        check_shown("train", labels, MANY, MANY, labelled=False)


def test_without_image_labels_nothing_is_said(recwarn):
    check_shown("train", None, MANY, MANY, labelled=False)
    check_shown("train", shown(range(1, 31)), MANY, MANY, labelled=False)
    assert not recwarn.list


@pytest.mark.parametrize(("kind", "count", "said"), [(DENIED, 1, True), (LACKING, 2, False), (LACKING, 3, True)])
def test_few_masks_that_lack_a_class_are_passed_over(recwarn, kind, count, said):
    faults = [Fault(kind, f"{index}.png", "first line") for index in range(count)]
    warn_of_contradictions([*faults, *faults], judged=20)  # in label and truth: an image counts once
    assert bool(recwarn.list) == said
    if said:
        assert f"{kind}: {count / 20:.0%} of 20 images; first line (`mars check` lists all)" in str(recwarn.list[0])
