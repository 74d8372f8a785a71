from pathlib import Path

import numpy as np
import pytest

from datamodules.contradictions import CONTRADICTIONS, DENIED, EMPTY, LACKING, Shown, weighed
from datamodules.errors import DataError
from datamodules.faults import Fault, refuse

NAMES = ("background", "cup", "lamp", "bowl")
LABELS = {"none": [], "cup": [1], "both": [1, 2]}


def read(image_id):
    if image_id == "unknown":
        raise DataError("no label")
    return np.array(LABELS[image_id], np.uint8)


def judge(image_id, codes, complete=False, ignored=255):
    against = Shown(NAMES, read).against(image_id, ignored, complete=complete)
    return [fault.kind for fault in against(Path("masks/a.png"), np.array(codes))]


@pytest.mark.parametrize(
    ("image_id", "codes", "label", "truth"),
    [
        ("cup", [0, 1], [], []),
        ("cup", [0, 1, 254, 255], [], []),
        ("both", [0, 1], [], [LACKING]),  # a pseudo label may have lost one
        ("both", [0], [], [LACKING]),
        ("cup", [0, 255], [EMPTY], [EMPTY]),
        ("cup", [255], [EMPTY], [EMPTY]),
        ("none", [0, 255], [], []),
        ("none", [0, 1], [DENIED], [DENIED]),
        ("cup", [0, 2], [DENIED], [DENIED]),
        ("cup", [0, 1, 2], [DENIED], [DENIED]),
        ("cup", [1, 77], [], []),  # a code beyond the classes is another fault
    ],
)
def test_what_contradicts(image_id, codes, label, truth):
    assert judge(image_id, codes) == label and judge(image_id, codes, complete=True) == truth


def test_the_line_names_both_sides():
    (fault,) = Shown(NAMES, read).against("both", 255)(Path("masks/a.png"), np.array([0, 1, 3]))
    assert fault.name == "a.png"
    assert fault.text == (
        "masks/a.png: holds bowl, its image label says cup and lamp; are its codes in the order of the class names?"
    )
    (fault,) = Shown(NAMES, read).against("none", 255)(Path("a.png"), np.array([2]))
    assert "holds lamp, its image label says none of the classes" in fault.text


def test_scores_have_no_ignored_pixels_and_unknown_images_are_not_judged():
    assert judge("cup", [255], ignored=None) == []
    assert judge("cup", [2], ignored=None) == [DENIED]
    assert Shown(NAMES, read).against("unknown", 255) is None
    assert Shown(NAMES, read).against("elsewhere", 255) is None, "a table without it"


@pytest.mark.parametrize(("count", "note"), [(1, True), (10, True), (11, False)])
def test_masks_that_lack_a_class_are_a_fault_where_they_are_common(count, note):
    faults = [Fault(LACKING, f"{index}.png", "text") for index in range(count)]
    found = weighed([*faults, Fault("size", "a.png", "other")], dict.fromkeys(CONTRADICTIONS, 100))
    assert found[0] == Fault(LACKING, "0.png", f"text ({count}% of 100 masks)", note=note)
    assert found[-1] == Fault("size", "a.png", "other")
    assert weighed([Fault(DENIED, "a.png", "text")], {DENIED: 100})[0].note is False


def test_a_note_refuses_nothing():
    note = Fault("kind", "a", "worth a look", note=True)
    refuse([note])
    with pytest.raises(DataError, match=r"^wrong$"):
        refuse([note, Fault("kind", "b", "wrong")])
