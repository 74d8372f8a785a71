import json

import pytest

from datamodules.errors import DataError
from mars_pl.cli.main import main as mars
from mars_pl.commands.methods import command as methods
from mars_pl.commands.methods.command import read_methods, verdicts


def row(miou, fp, split="train"):
    return {
        "split": split,
        "images": 8,
        "miou": miou,
        "fp": fp,
        "fn": 0.1,
        "companion": 0.2,
        "kept": 0.9,
        "refinement": "crf",
    }


def measured(wsss, uss, debiased=(0.7, 0.1), final=(0.72, 0.11), data="scenes"):
    rows = {
        "pseudo": row(0.6, 0.3),
        "pseudo-baseline": row(0.62, 0.25),
        "debiased": row(*debiased),
        "complemented": None,
    }
    rows |= {"baseline": row(0.61, 0.26, "val"), "final": row(*final, "val")}
    return {"data": data, "choices": {"WSSS": wsss, "USS": uss}, "rows": rows}


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "runs" / "scenes"
    (folder / "methods").mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    for wsss, uss in (("irn", "stego"), ("rsepm", "leopart")):
        (folder / "methods" / f"{wsss}-{uss}.json").write_text(json.dumps(measured(wsss, uss)))
    return folder


def test_each_choice_has_its_rows_before_and_after(run, capsys):
    assert mars(["methods", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = next(index for index, line in enumerate(lines) if line.strip().startswith("irn"))
    assert [line.split()[-6] if "base " not in line else "base" for line in lines[start : start + 5]] == [
        "Yᵇ", "base", "Yᵈᵇ", "baseline", "MARS",
    ]  # fmt: skip
    assert lines[start].split() == ["irn", "stego", "Yᵇ", "60.0", "0.300", "0.100", "0.200", "0.900"]
    assert any("rsepm (our reconstruction)" in line and "leopart" in line for line in lines)
    assert "labels: FP falls and mIoU rises under 2 of 2 choices" in lines
    assert "MARS: val, 8 images, crf" in lines


def test_a_run_is_found_by_its_name(run, monkeypatch):
    monkeypatch.chdir(run.parents[1])
    assert [metrics["choices"]["WSSS"] for metrics in read_methods("scenes")] == ["irn", "rsepm"]


@pytest.mark.parametrize(("debiased", "falls"), [((0.7, 0.1), True), ((0.59, 0.1), False), ((0.7, 0.3), False)])
def test_where_it_does_not_hold_the_choice_is_named(debiased, falls):
    labels, networks = verdicts([measured("irn", "stego"), measured("seam", "leopart", debiased)])
    assert labels.startswith(f"labels: FP falls and mIoU rises under {1 + falls} of 2 choices")
    assert labels.endswith("not under seam + leopart") != falls
    assert networks == "networks: FP falls and mIoU rises under 2 of 2 choices"


def test_a_choice_without_one_of_the_rows_is_not_counted():
    lacking = measured("irn", "stego")
    lacking["rows"]["final"] = None
    assert verdicts([lacking])[1] == "networks: FP falls and mIoU rises under 0 of 0 choices"


@pytest.mark.parametrize(("choice", "value"), [("SEGMENTER", "deeplabv2_resnet50"), ("TRAIN", "mars_removal")])
def test_pairs_that_were_trained_otherwise_are_not_put_into_one_table(run, choice, value):
    file = run / "methods" / "rsepm-leopart.json"
    other = measured("rsepm", "leopart")
    other["choices"][choice] = value
    file.write_text(json.dumps(other))
    with pytest.raises(DataError, match=f"rsepm-leopart.json: {choice} is {value}, unlike .*irn-stego.json"):
        read_methods(str(run))


def test_the_numbers_as_json(run, tmp_path):
    assert methods.main([str(run), "--json", str(tmp_path / "methods.json")]) == 0
    assert json.loads((tmp_path / "methods.json").read_text())[1]["choices"]["USS"] == "leopart"


def test_what_was_not_measured_is_said(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(DataError, match="`make methods` measures them"):
        read_methods(str(tmp_path))


def test_figures_of_other_data_are_refused(run):
    (run / "methods" / "seam-stego.json").write_text(json.dumps(measured("seam", "stego", data="voc")))
    with pytest.raises(DataError, match=r"seam-stego.json: data is voc, unlike .*irn-stego.json \(scenes\)"):
        read_methods(str(run))


def test_figures_that_name_no_methods_are_refused(run):
    (run / "methods" / "irn-stego.json").write_text(json.dumps({"data": "scenes", "rows": {}}))
    with pytest.raises(DataError, match="does not say which methods"):
        read_methods(str(run))
