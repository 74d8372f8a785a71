"""`null` on the command line is nothing, however deep the class lies whose setting it is."""

import json

import pytest
import yaml

from mars_pl.cli.main import main
from mars_pl.cli.nulls import with_nulls
from tests.cli.tiny_fit import TinyFit

CROPS = "--data.init_args.training_set.init_args"


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        (["--a.init_args.b", "null"], {"a": {"init_args": {"b": None}}}),
        (["--a.init_args.b=null"], {"a": {"init_args": {"b": None}}}),
        (["--a.init_args.b.init_args.c", "~"], {"a": {"init_args": {"b": {"init_args": {"c": None}}}}}),
        (["--a.init_args.b", "[1, null]"], {"a": {"init_args": {"b": [1, None]}}}),
        (["--a.init_args.b", "{x: {y: null}, z: 1e-3}"], {"a": {"init_args": {"b": {"x": {"y": None}, "z": 0.001}}}}),
    ],
)
def test_what_holds_a_null_becomes_a_configuration(given, settings):
    flag, text = with_nulls(given)
    assert (flag, json.loads(text)) == ("--config", settings)


@pytest.mark.parametrize(
    "words",
    [
        ["fit", "-c", "a.yaml", "--ckpt_path", "null"],
        ["--trainer.max_time", "null"],
        ["--a.init_args.b", "nullable", "--a.init_args.c=[1, 2]"],
        ["--a.init_args.b", ""],
        ["--a.init_args.b", "[not: yaml"],
        ["--a.init_args.b+", "null"],
        ["--a.init_args.b"],
    ],
)
def test_everything_else_stays(words):
    assert with_nulls(words) == words


def test_order_is_kept():
    words = with_nulls(["-c", "a", "--m.init_args.x", "1", "--m.init_args.x", "null", "--m.init_args.x", "2"])
    assert words[2:4] == ["--m.init_args.x", "1"] and words[4] == "--config" and words[6:] == ["--m.init_args.x", "2"]


def test_the_parser_reads_it_as_nothing(capsys):
    words = ["fit", "-c", "data/voc", "-c", "uss/crops", "-c", "uss/stego"]
    words += [f"{CROPS}.neighbours", "here", f"{CROPS}.neighbours", "null", f"{CROPS}.tokens=null"]
    words += [f"{CROPS}.crop_size", "112", "--data.init_args.label_folder", "null"]
    words += ["--model.init_args.backbone", "{class_path: mars_pl.uss.backbone.FrozenViT, init_args: {name: test_vit}}"]
    words += ["--model.init_args.backbone.init_args.model_kwargs", "{a: null}"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--print_config"])
    assert ended.value.code == 0
    found = yaml.safe_load(capsys.readouterr().out)
    data, model = found["data"]["init_args"], found["model"]["init_args"]
    assert data["training_set"]["init_args"] == {"crop_size": 112, "neighbours": None, "tokens": None}
    assert data["label_folder"] is None
    assert model["backbone"]["init_args"]["model_kwargs"] == {"a": None}


def test_a_fit_keeps_it_in_its_configuration(tmp_path):
    tiny = TinyFit(tmp_path)
    assert (
        tiny.fit("out", "--data.init_args.training_set.init_args.colour_jitter", "null", "--trainer.max_epochs=1") == 0
    )
    kept = yaml.safe_load((tmp_path / "out/fit.yaml").read_text())
    assert kept["data"]["init_args"]["training_set"]["init_args"]["colour_jitter"] is None
    assert kept["data"]["init_args"]["training_set"]["init_args"]["crop_size"] == 32
