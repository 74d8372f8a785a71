"""YAMLs and options merge as LightningCLI merges them; its own parser is asked, too."""

from contextlib import chdir
from pathlib import Path

import pytest
import yaml

from mars_pl.cli.main import main
from mars_pl.commands.run import targets
from mars_pl.pipeline.choices import read_choices
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.words import command_words
from mars_pl.pipeline.settings.resolved import class_name, init_args, is_yaml, leaves, resolve, without_harmless
from mars_pl.pipeline.stage import Output, Stage
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def merged(tmp_path):
    def merge(*texts, **options):
        paths = [tmp_path / f"{number}.yaml" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        return resolve(paths, {name.replace("__", "."): value for name, value in options.items()})

    return merge


@pytest.mark.parametrize(
    ("texts", "result"),
    [
        (["{a: 1, b: {c: 2, d: 3}}", "b: {c: 4}"], {"a": 1, "b": {"c": 4, "d": 3}}),
        (["a: [1, 2]", "a: [3]"], {"a": [3]}),
        (
            [
                "a: [{class_path: A, init_args: {x: 1, y: 2}}]",
                "a: [{class_path: B}, {class_path: A, init_args: {x: 3}}]",
            ],
            {"a": [{"class_path": "B"}, {"class_path": "A", "init_args": {"x": 3, "y": 2}}]},
        ),
        (["a: [1]", "a+: [2, 3]", "a+: 4"], {"a": [1, 2, 3, 4]}),
        (["a+: [1]"], {"a": [1]}),
        (["a: {b+: [1]}", "a: {b+: [2]}"], {"a": {"b": [1, 2]}}),
        (["a: null", "a+: [1]"], {"a": [1]}),
        (["a: 1", "a: null"], {"a": None}),
        (["a: {b: 1}", "a: 2"], {"a": 2}),
        (["a: 2", "a: {b: 1}"], {"a": {"b": 1}}),
        (["a: 1e-3", "# nothing"], {"a": 0.001}),
        ([], {}),
    ],
)
def test_the_later_wins_part_by_part(merged, texts, result):
    assert merged(*texts) == result


def test_another_class_keeps_the_settings_of_the_former(merged):
    """The parser keeps those that the new class takes; see below."""
    first = "model: {class_path: A, init_args: {x: 1, part: {class_path: P, init_args: {y: 2}}}}"
    part = "model: {class_path: B, init_args: {x: null, part: {class_path: Q, init_args: {z: 3}}}}"
    assert merged(first, part)["model"] == {
        "class_path": "B",
        "init_args": {"x": None, "part": {"class_path": "Q", "init_args": {"y": 2, "z": 3}}},
    }


def test_the_files_are_left_as_they_are(merged, tmp_path):
    """What is merged into is a copy: lists and mappings of one file do not grow."""
    merged("a: {b: [1]}", "a: {b+: [2], c: 3}")
    assert resolve([tmp_path / "0.yaml"], {}) == {"a": {"b": [1]}}


def test_options_go_before_yamls_and_are_read_as_yaml(merged, tmp_path):
    network = tmp_path / "network.yaml"
    network.write_text("{class_path: N, init_args: {depth: 3}}")
    stage = Stage("s", "fit", (), Path(), (), {}, ())
    result = merged(
        "model: {class_path: A, init_args: {lr: 1, network: {class_path: M, init_args: {width: 2}}}}",
        model__lr=".1",
        model__network=network,
        model__weights=Output(stage, "w.safetensors"),
        trainer__max_epochs="3",
        data__flag=True,
        data__folder=Path("some/where"),
        data__odd="[not: yaml",
    )
    assert result["model"]["init_args"] == {
        "lr": 0.1,
        "network": {"class_path": "N", "init_args": {"width": 2, "depth": 3}},
        "weights": {"stage": "s", "output": "w.safetensors"},
    }
    assert result["trainer"] == {"max_epochs": 3}
    assert result["data"]["init_args"] == {"flag": True, "folder": "some/where", "odd": "[not: yaml"}


def test_a_folder_that_is_called_like_a_yaml_is_none(tmp_path):
    (tmp_path / "masks.yaml").mkdir()
    assert not is_yaml(tmp_path / "masks.yaml") and not is_yaml(tmp_path / "nowhere.yaml") and not is_yaml("a.yaml")


def test_what_changes_no_result_is_left_out_at_any_depth():
    settings = {"data": {"init_args": {"workers": 3, "root": "x", "batch_size": 2}}, "list": [{"workers": 1, "a": 2}]}
    assert without_harmless(settings) == {"data": {"init_args": {"batch_size": 2}}, "list": [{"a": 2}]}
    assert settings["list"][0]["workers"] == 1


def test_leaves_are_named_by_their_whole_path():
    assert list(leaves({"a": {"b": 1, "c": {}}, "d": [1, {"e": 2}]})) == [("a.b", 1), ("d", [1, {"e": 2}])]


@pytest.mark.parametrize(
    ("data", "words", "stage"),
    [
        ("voc", {}, "segment"),
        ("scenes", {"gamma": "3"}, "debias-labels"),
        ("voc", {"wsss": "advcam"}, "wsss-scores"),  # whose class is another, on the network of the classifier's YAML
        ("scenes", {"wsss": "seam", "segmenter": "deeplabv2_resnet50"}, "wsss-classifier"),
    ],
)
def test_the_command_line_comes_to_the_same(tmp_path, capsys, data, words, stage):
    make_voc_tree(tmp_path / "data" / data, 2)
    places = Places()
    with chdir(tmp_path):
        choices = read_choices({"data": data, "trainer": "cpu"} | words, {"segment.model.lr": "1e-2"})
        chosen = next(item for item in targets.mars(choices).every_stage() if item.name == stage)
        words = command_words(places.of(chosen), places)
        texts = {
            name: _as_typed(name, words) if isinstance(value, Output) else value
            for name, value in chosen.options.items()
        }
        ours = resolve(chosen.yamls, texts)
        with pytest.raises(SystemExit):
            main([*words, "--print_config"])
    theirs = yaml.safe_load(capsys.readouterr().out)
    assert {"data", "model", "trainer"} <= set(ours)
    faults = _within(ours, theirs)
    assert [fault for fault in faults if not fault.endswith(", None")] == [], "each setting has the parser's value"
    gone = {fault.split(":")[0].rsplit(".", 1)[1] for fault in faults}
    assert gone <= {"lr", "optimizer", "head_factor", "momentum", "weight_decay"}, "the other class knows no optimiser"


def _as_typed(name, words):
    part, *rest = name.split(".")
    return words[words.index("--" + ".init_args.".join([part, *rest])) + 1]


def _within(ours, theirs, path=""):
    """Return the paths at which what we resolved is not what the parser has; it adds the defaults of all classes."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [fault for key, value in ours.items() for fault in _within(value, theirs.get(key), f"{path}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [fault for pair in zip(ours, theirs, strict=True) for fault in _within(*pair, f"{path}[]")]
    return [] if ours == theirs else [f"{path}: {ours!r}, {theirs!r}"]


def test_a_class_and_its_settings_are_found_or_are_none():
    node = {"class_path": "datamodules.voc.VOC", "init_args": {"limit": 3}}
    assert (class_name(node), init_args(node)) == ("VOC", {"limit": 3})
    for without in (None, {}, {"init_args": None}):
        assert (class_name(without), init_args(without)) == ("", {})
