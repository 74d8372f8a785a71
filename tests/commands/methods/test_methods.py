import json
from dataclasses import asdict
from pathlib import Path

import pytest

from datamodules.errors import DataError
from mars_pl.cli.main import main as mars
from mars_pl.commands.methods import command as methods
from mars_pl.commands.methods.command import read_methods, verdicts
from mars_pl.pipeline.choices import Choices
from tests.fakes.fake_run import make_run


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


def measured(wsss, uss, debiased=(0.7, 0.1), final=(0.72, 0.11), data="scenes", adele=False, **choices):
    rows = {
        "pseudo": row(0.6, 0.3),
        "pseudo-baseline": row(0.62, 0.25),
        "debiased": row(*debiased),
        "complemented": None,
    }
    rows |= {"baseline": row(0.61, 0.26, "val"), "final": row(*final, "val")}
    rows |= {"adele": row(0.64, 0.22, "val")} if adele else {}
    told = asdict(Choices()) | {"wsss": wsss, "uss": uss} | choices
    return {"data": data, "choices": told, "rows": rows}


def leave(folder, wsss, uss, **others):
    """A run's metrics.json, as it comes from another machine."""
    metrics = measured(wsss, uss, **others)
    (folder / f"scenes-{wsss}-{uss}").mkdir()
    (folder / f"scenes-{wsss}-{uss}" / "metrics.json").write_text(json.dumps(metrics))
    return str(folder / f"scenes-{wsss}-{uss}")


@pytest.fixture
def runs(tmp_path):
    return [leave(tmp_path, wsss, uss) for wsss, uss in (("irn", "stego"), ("rsepm", "leopart"))]


def test_each_choice_has_its_rows_before_and_after(runs, capsys):
    assert mars(["methods", *runs]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = next(index for index, line in enumerate(lines) if line.strip().startswith("irn"))
    assert [line.split()[-6] if "base " not in line else "base" for line in lines[start : start + 5]] == [
        "Yᵇ", "base", "Yᵈᵇ", "baseline", "MARS",
    ]  # fmt: skip
    assert lines[start].split() == ["irn", "stego", "Yᵇ", "60.0", "0.300", "0.100", "0.200", "0.900"]
    assert any("rsepm (our reconstruction)" in line and "leopart" in line for line in lines)
    assert "labels: FP falls and mIoU rises under 2 of 2 choices" in lines
    assert "MARS: val, 8 images, crf" in lines


def test_adele_stands_between_the_baseline_and_mars(tmp_path, capsys):
    run = leave(tmp_path, "seam", "stego", adele=True)
    assert mars(["methods", run]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    rows = [line for line in lines if line and line[0] in ("baseline", "+", "MARS")][:3]
    assert [row[0] for row in rows] == ["baseline", "+", "MARS"]
    assert rows[1][:4] == ["+", "ADELE", "64.0", "0.220"]


def test_later_rounds_stand_below_the_first_and_are_judged_by_themselves(tmp_path, capsys):
    run = Path(leave(tmp_path, "irn", "stego", rounds=2))
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["rows"] |= {"baseline-round2": row(0.6, 0.25, "val"), "final-round2": row(0.59, 0.05, "val")}
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert mars(["methods", str(run)]) == 0
    printed = capsys.readouterr().out
    assert "MARS, round 2" in printed and "0.050" in printed
    assert "networks: FP falls and mIoU rises under 1 of 1 choices" in printed
    assert "networks, round 2: FP falls and mIoU rises under 0 of 1 choices; not under irn + stego" in printed


def test_a_run_with_its_stages_is_read_as_they_stand(tmp_path):
    run = make_run(tmp_path, images=1)
    (metrics,) = read_methods([str(run)])
    assert metrics["choices"]["wsss"] == "cam" and metrics["rows"]["final"]["miou"] == 0.739


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


@pytest.mark.parametrize(
    ("choice", "value"), [("segmenter", "deeplabv2_resnet50"), ("train", "mars_removal"), ("rounds", 2)]
)
def test_pairs_that_were_trained_otherwise_are_not_put_into_one_table(runs, tmp_path, choice, value):
    other = leave(tmp_path, "seam", "stego", **{choice: value})
    with pytest.raises(DataError, match=f"scenes-seam-stego: {choice} is {value}, unlike scenes-irn-stego"):
        read_methods([*runs, other])


def test_the_numbers_as_json(runs, tmp_path):
    assert methods.main([*runs, "--json", str(tmp_path / "methods.json")]) == 0
    assert json.loads((tmp_path / "methods.json").read_text())[1]["choices"]["uss"] == "leopart"


def test_figures_of_other_data_are_refused(runs, tmp_path):
    other = leave(tmp_path, "seam", "stego", data="voc")
    with pytest.raises(DataError, match=r"scenes-seam-stego: data is voc, unlike scenes-irn-stego \(scenes\)"):
        read_methods([*runs, other])


def test_figures_that_name_no_methods_are_refused(tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps({"data": "scenes", "rows": {}}))
    with pytest.raises(DataError, match="does not say which methods it measured; `mars run methods …`"):
        read_methods([str(tmp_path)])
