import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.image_labels.captions import read_captions
from datamodules.synthetic.captions import OPENINGS, SEEN, WORDS, phrased, words_of, write_captioned
from datamodules.synthetic.chance import Chance
from datamodules.synthetic.companions import FIRST, WORLDS
from datamodules.synthetic.generator import Scene, render, render_outside

NAMES = CLASS_NAMES["scenes"]


def scene(classes=(), companion=None, pixels=SEEN):
    label, beside = np.zeros((2, 20, 40), dtype=np.uint8)
    if companion:
        beside.flat[:pixels] = NAMES.index(companion)
    return Scene(np.zeros((20, 40, 3), dtype=np.uint8), label, beside, tuple(NAMES.index(name) for name in classes))


def test_every_companion_of_every_world_has_a_word_that_is_no_class():
    assert {companion for world in WORLDS.values() for companion in world.values()} == set(WORDS)
    assert not set(WORDS.values()) & set(NAMES)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (scene(["horse"]), ["horse"]),
        (scene([], "boat"), ["sea"]),
        (scene([], "boat", SEEN - 1), []),
        (scene(), []),
    ],
)
def test_what_is_named_by_hand(shown, words):
    assert words_of(shown, Chance(0)) == words


def test_objects_come_first_and_a_companion_beside_one_is_named_in_four_fifths():
    named = [words_of(scene(["boat", "car"], "boat"), Chance(index)) for index in range(400)]
    assert {tuple(words[:2]) for words in named} == {("boat", "car"), ("car", "boat")}
    assert {tuple(words[2:]) for words in named} == {(), ("sea",)}
    assert 0.75 < np.mean([len(words) == 3 for words in named]) < 0.85


def test_phrases_vary_and_name_the_same():
    phrases = {phrased(["boat", "sea"], Chance(index)) for index in range(200)}
    nouns = [f"{first} and {second}." for first in ("boat", "a boat") for second in ("sea", "a sea")]
    assert phrases == {f"{opening} {noun}".strip() for opening in OPENINGS for noun in nouns}
    assert {phrased([], Chance(index)).split()[-1] for index in range(20)} == {"place."}


def test_no_object_is_named_that_a_picture_does_not_show():
    for index in range(40):
        shown = render(3, index)
        assert set(words_of(shown, Chance(3, index))) & set(NAMES) == {NAMES[code] for code in shown.classes}
        assert not set(words_of(render_outside(3, index), Chance(index))) & set(NAMES)


def test_a_folder_is_written_whole_the_same_by_any_number_of_processes_and_never_over_another(tmp_path):
    write_captioned(tmp_path / "one", 5, 24)
    write_captioned(tmp_path / "two", 5, 24, processes=2)
    one, two = (read_captions(tmp_path / name) for name in ("one", "two"))
    assert len(one) == 24 and [(path.name, text) for path, text in one] == [(path.name, text) for path, text in two]
    assert all(first.read_bytes() == second.read_bytes() for (first, _), (second, _) in zip(one, two, strict=True))
    alone = [text for _, text in one][::3]
    assert all(set(text.strip(".").split()) & {*WORDS.values(), "place"} for text in alone), "a third without an object"
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(DataError, match="something is there already"):
        write_captioned(tmp_path / "one")


def test_the_first_world_has_what_clims_is_asked_to_suppress():
    assert sorted(WORDS[companion] for companion in FIRST.values()) == ["branch", "meadow", "railway", "sea"]
