"""What Make does: a stage runs again when, and only when, its words or inputs changed; a broken fit goes on.

The command is a stub that writes down its words and leaves what the stage leaves.
"""

import copy
import json
import os
import re
import shutil
import stat
import subprocess

import pytest

from tests.pipeline.tiny_run import REPOSITORY, make, make_house, plan

STUB = r"""#!/bin/bash
# Stands for `mars`: one line a call in calls.txt, and the outputs of the stage.
echo "$*" >> calls.txt
if [ "$1" = report ]; then echo '{}' > "$2/metrics.json"; exit 0; fi
if [ "$1" = gap ] || [ "$1" = methods ]; then exit 0; fi
while [ $# -gt 0 ]; do
  case "$1" in
    --json) mkdir -p "$(dirname "$2")"; echo '{}' > "$2"; exit 0;;
    --trainer.default_root_dir) root=$2;;
    --ckpt_path) [ -e "$2" ] || exit 9;;
  esac
  shift
done
mkdir -p "$root"
echo half > "$root/half.txt"
if [ -e break ] && [[ "$root" == *$(cat break)* ]]; then
  mkdir -p "$root/checkpoints"; echo epoch > "$root/checkpoints/last.ckpt"; exit 3
fi
echo whole > "$root/weights.safetensors"
"""

STAGES = [
    "wsss-cam/fit",
    "wsss-cam/labels",
    "uss-stego/neighbours",
    "uss-stego/fit",
    "debias-cam-stego/centroids",
    "debias-cam-stego/labels",
    "segment-mars-deeplabv3plus_resnet101-cam-stego/fit",
    "segment-mars-deeplabv3plus_resnet101-cam-stego/complemented",
    "segment-mars-deeplabv3plus_resnet101-cam-stego/predictions",
]
DEBIAS_ON = {stage for stage in STAGES if stage.startswith(("debias", "segment"))}


def without_make():
    """The environment of a shell, where the suite itself was started by make."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


class House:
    """A copy of Makefile and configs in which `mars` is the stub."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copy(REPOSITORY / "Makefile", folder)
        shutil.copytree(REPOSITORY / "configs", folder / "configs")
        for name in ("pyproject.toml", "constraints.txt"):
            shutil.copy(REPOSITORY / name, folder)
        (folder / "venv").mkdir()
        (folder / "venv" / "ready").touch()
        (folder / "data" / "voc").mkdir(parents=True)
        stub = folder / "stub"
        stub.write_text(STUB)
        stub.chmod(stub.stat().st_mode | stat.S_IEXEC)

    def make(self, *words, code=0):
        """Run make and return the stages that ran with their words; rows and reports by their file."""
        calls = self.folder / "calls.txt"
        calls.unlink(missing_ok=True)
        command = ["make", "DATA=voc", "VENV=venv", "MARS=./stub", *(words or ["mars"])]
        done = subprocess.run(command, cwd=self.folder, env=without_make(), capture_output=True, text=True, timeout=120)
        assert (done.returncode == 0) == (code == 0), done.stdout + done.stderr
        lines = [line.split() for line in calls.read_text().splitlines()] if calls.exists() else []
        return {self._name(line): line for line in lines}

    def _name(self, line):
        if "--trainer.default_root_dir" in line:
            place = line.index("--trainer.default_root_dir") + 1
            return line[place].removesuffix(".part").split("/", 2)[2]
        return " ".join(line[:2]) if "--json" not in line else line[line.index("--json") + 1]

    def stage(self, name, run="voc"):
        return self.folder / "runs" / run / name


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    """A house in which `make mars` has run; its copies keep the times of its files."""
    house = House(tmp_path_factory.mktemp("pattern"))
    house.first = house.make()
    return house


@pytest.fixture
def made(pattern, tmp_path):
    shutil.copytree(pattern.folder, tmp_path / "house", symlinks=True)
    house = copy.copy(pattern)
    house.folder = tmp_path / "house"
    return house


def test_all_stages_in_order_then_the_report(made):
    assert list(made.first) == [*STAGES, "report runs/voc"]
    for stage in STAGES:
        assert (made.stage(stage) / "weights.safetensors").exists()
        assert not made.stage(stage + ".part").exists() and not (made.stage(stage) / "begun").exists()
        assert (made.stage("seconds") / stage.replace("/", "-")).read_text().strip().isdigit()
    manifest = json.loads(made.stage("run.json").read_text())
    assert manifest["choices"]["USS"] == "stego" and manifest["rows"] == []
    assert manifest["labels"]["debiased"] == "debias-cam-stego/labels"


def test_each_stage_reads_what_the_one_before_wrote(made):
    weights = {stage: f"runs/voc/{stage}/weights.safetensors" for stage in STAGES}
    text = {stage: " ".join(words) for stage, words in made.first.items()}
    assert weights["wsss-cam/fit"] in text["wsss-cam/labels"]
    assert "runs/voc/uss-stego/neighbours/neighbours.safetensors" in text["uss-stego/fit"]
    assert f"weights {weights['uss-stego/fit']}" in text["debias-cam-stego/centroids"]
    assert "--data.init_args.labels runs/voc/wsss-cam/labels/mars" in text["debias-cam-stego/centroids"]
    assert "runs/voc/debias-cam-stego/centroids/centroids.safetensors" in text["debias-cam-stego/labels"]
    assert "--data.init_args.labels runs/voc/debias-cam-stego/labels" in text[STAGES[6]]
    assert all("--ckpt_path" not in line for line in text.values())


@pytest.mark.parametrize(
    ("flags", "trainer"), [("sse2 avx512_bf16", "cpu_bf16"), ("sse2 amx_bf16", "cpu_bf16"), ("sse2 avx2", "cpu")]
)
def test_a_cpu_with_bfloat16_instructions_uses_them_unless_told_otherwise(house, monkeypatch, flags, trainer):
    monkeypatch.delenv("TRAINER")
    (house.folder / "cpuinfo").write_text(f"flags\t: {flags}\n" * 2)
    assert f"configs/trainer/{trainer}.yaml" in house.make("mars", "CPUINFO=cpuinfo")["wsss-cam/fit"]
    told = house.make("mars", "CPUINFO=cpuinfo", "TRAINER=gpu", "RUN=told")
    assert "configs/trainer/gpu.yaml" in told["wsss-cam/fit"]
    assert "configs/trainer/cpu.yaml" in house.make("mars", "CPUINFO=nowhere", "RUN=nowhere")["wsss-cam/fit"]


def test_the_plan_is_what_runs(house):
    command = ["make", "-n", "DATA=voc", "VENV=venv", "MARS=./stub", "mars"]
    done = subprocess.run(command, cwd=house.folder, env=without_make(), capture_output=True, text=True, check=True)
    planned = [line.split("— ")[1].rstrip('"') for line in done.stdout.splitlines() if "— " in line]
    assert planned == STAGES
    assert not (house.folder / "runs").exists()


def test_a_second_run_does_nothing(made):
    assert made.make() == {}


def test_touching_a_yaml_reruns_nothing(made):
    for path in (made.folder / "configs").rglob("*.yaml"):
        path.touch()
    assert made.make() == {}


@pytest.mark.parametrize(
    ("yaml", "rerun"),
    [
        ("configs/debias/centroids.yaml", DEBIAS_ON),
        ("configs/debias/labels.yaml", DEBIAS_ON - {"debias-cam-stego/centroids"}),
        ("configs/train/mars.yaml", {stage for stage in STAGES if stage.startswith("segment")}),
        ("configs/segment/predictions.yaml", {STAGES[8]}),
        ("configs/segment/complemented.yaml", {STAGES[7]}),
        ("configs/uss/features_stego.yaml", DEBIAS_ON),
        ("configs/uss/neighbours.yaml", DEBIAS_ON | {"uss-stego/neighbours", "uss-stego/fit"}),
        ("configs/backbone/vit_base_patch8_dino.yaml", DEBIAS_ON | {"uss-stego/neighbours", "uss-stego/fit"}),
        ("configs/wsss/cam_labels.yaml", DEBIAS_ON | {"wsss-cam/labels"}),
        ("configs/train/baseline.yaml", set()),
        ("configs/backbone/vit_scenes.yaml", set()),
    ],
)
def test_a_changed_yaml_reruns_its_stage_and_those_after(made, yaml, rerun):
    path = made.folder / yaml
    path.write_text(path.read_text() + "# changed\n")
    assert set(made.make()) == (rerun | {"report runs/voc"} if rerun else set())
    assert made.make() == {}


def test_a_changed_argument_reruns_what_reads_it(made):
    backbone = ("mars", "BACKBONE=vit_small_focus")
    assert set(made.make(*backbone)) == DEBIAS_ON | {"uss-stego/neighbours", "uss-stego/fit", "report runs/voc"}
    assert made.make(*backbone) == {}
    assert set(made.make()) == DEBIAS_ON | {"uss-stego/neighbours", "uss-stego/fit", "report runs/voc"}


def test_leopart_starts_from_the_transformer_that_its_rates_are_published_for(tmp_path):
    house = make_house(tmp_path)
    (house / "data/voc/SegmentationClass").mkdir(parents=True)
    for words, backbone in (
        (["USS=stego"], "vit_base_patch8_dino"),
        (["USS=leopart"], "vit_small_patch16_dino"),
        (["USS=leopart", "BACKBONE=vit_base_patch8_dino"], "vit_base_patch8_dino"),
    ):
        command = plan(house, "mars", "DATA=voc", *words)[f"runs/voc/uss-{words[0].removeprefix('USS=')}/fit"]
        assert command[command.index("--model.init_args.backbone") + 1] == f"configs/backbone/{backbone}.yaml"


def test_another_choice_makes_folders_of_its_own_and_shares_the_rest(made):
    ran = made.make("mars", "USS=backbone")
    assert {stage for stage in ran if stage.startswith("wsss")} == set()
    assert {"debias-cam-backbone/centroids", "debias-cam-backbone/labels"} <= set(ran)
    assert not any("uss-" in stage for stage in ran)
    assert set(made.make()) == {"report runs/voc"}, (
        "the manifest names other folders again, though nothing is to be made"
    )
    assert made.make() == {}


@pytest.mark.parametrize("method", ["irn", "advcam"])
def test_methods_on_the_cam_share_its_fit_and_propagate(made, method):
    ran = made.make("mars", f"WSSS={method}")
    stages = [f"wsss-{method}/{stage}" for stage in ("scores", "propagation", "labels")]
    assert [stage for stage in ran if stage.startswith(("wsss", "uss"))] == stages
    scores, propagation, labels = (" ".join(ran[stage]) for stage in stages)
    assert "--model.init_args.weights runs/voc/wsss-cam/fit/weights.safetensors" in scores
    assert f"--data.init_args.labels runs/voc/wsss-{method}/scores/confident" in propagation
    assert "classifier_weights" not in propagation  # ImageNet's
    assert f"--data.init_args.scores runs/voc/wsss-{method}/scores " in labels
    assert f"weights runs/voc/wsss-{method}/propagation/weights.safetensors" in labels
    assert f"--data.init_args.labels runs/voc/wsss-{method}/labels/mars" in " ".join(
        ran[f"debias-{method}-stego/labels"]
    )


def test_a_method_with_a_network_of_its_own_fits_it(made):
    ran = made.make("mars", "WSSS=seam", "PROPAGATION_FROM=classifier")
    assert next(stage for stage in ran if stage.startswith("wsss")) == "wsss-seam/fit"
    words = " ".join(ran["wsss-seam/propagation"])
    assert "affinity_net.init_args.classifier_weights runs/voc/wsss-seam/fit/weights.safetensors" in words


def test_leopart_needs_no_neighbours(made):
    ran = made.make("mars", "USS=leopart")
    assert [stage for stage in ran if stage.startswith(("wsss", "uss"))] == ["uss-leopart/fit"]
    assert "features_leopart.yaml" in " ".join(ran["debias-cam-leopart/centroids"])


def test_features_may_bring_a_gamma_of_their_own(house):
    """On scenes Leopart does, STEGO's is the YAML's; a person's GAMMA= goes before both."""
    (house.folder / "data" / "scenes").mkdir()
    option = "--writer.init_args.exponent"
    for words, gamma in ((["USS=leopart"], ["1.5"]), (["USS=stego"], []), (["USS=leopart", "GAMMA=3"], ["3"])):
        ran = house.make("mars", "DATA=scenes", *words)
        labels = next(call for stage, call in ran.items() if re.fullmatch("debias-cam-[a-z]+/labels", stage))
        assert "configs/debias/labels_scenes.yaml" in labels
        assert [labels[place + 1] for place, word in enumerate(labels) if word == option] == gamma


def test_two_trainings_share_debias(made):
    ran = made.make("mars", "TRAIN=complement")
    folder = "segment-complement-deeplabv3plus_resnet101-cam-stego"
    assert set(ran) == {f"{folder}/{job}" for job in ("fit", "predictions", "complemented")} | {"report runs/voc"}


def test_labels_from_elsewhere_start_at_debias(house):
    (house.folder / "masks").mkdir()
    ran = house.make("mars", "LABELS=masks/")
    assert [stage.replace("masks", "cam") for stage in ran][:-1] == [
        stage for stage in STAGES if not stage.startswith("wsss")
    ]
    assert "--data.init_args.labels masks" in " ".join(ran["debias-masks-stego/centroids"])
    assert house.make("mars", "LABELS=masks/") == {}


def test_a_segmenter_brings_its_own_refinement_of_masks(made):
    ran = made.make("mars", "SEGMENTER=deeplabv1_wideresnet38")
    folder = "segment-mars-deeplabv1_wideresnet38-cam-stego"
    assert set(ran) == {f"{folder}/{job}" for job in ("fit", "predictions", "complemented")} | {"report runs/voc"}
    assert "-c configs/segment/deeplabv1_wideresnet38_predictions.yaml" in " ".join(ran[f"{folder}/predictions"])
    assert "configs/segment/predictions.yaml" not in ran[f"{folder}/predictions"]


def test_an_encoder_has_folders_of_its_own_and_reaches_each_job(made):
    ran = made.make("mars", "SEGMENTER=deeplabv3plus_timm", "ENCODER=resnet18")
    folder = "segment-mars-deeplabv3plus_timm-resnet18-cam-stego"
    assert set(ran) == {f"{folder}/{job}" for job in ("fit", "predictions", "complemented")} | {"report runs/voc"}
    for job in ("fit", "predictions", "complemented"):
        assert "--model.init_args.network.init_args.encoder resnet18" in " ".join(ran[f"{folder}/{job}"])


def test_a_seed_has_a_run_of_its_own(made):
    ran = made.make("mars", "SEED=1")
    assert list(ran) == [*STAGES, "report runs/voc-seed1"]
    assert all("--seed_everything 1" in " ".join(words) for stage, words in ran.items() if stage in STAGES)


def test_a_seed_of_the_segmenter_alone_shares_the_rest(made):
    (made.folder / "data/voc/SegmentationClass").mkdir()
    made.make("gap-of-seed")
    ran = made.make("gap-of-seed", "SEGMENT_SEEDS=0 1")
    fits = {stage for stage in ran if stage.endswith("/fit")}
    assert fits and all(stage.startswith("segment-") and "-seed1/" in stage for stage in fits)
    assert all("--seed_everything 1" in " ".join(ran[stage]) for stage in fits)


def test_a_finer_stride_touches_the_debiased_labels_and_not_the_centroids(made):
    ran = made.make("mars", "SHIFTS=2")
    assert {stage for stage in ran if stage.startswith("debias")} == {"debias-cam-stego/labels"}
    assert "--model.init_args.feature_extractor.init_args.shifts 2" in " ".join(ran["debias-cam-stego/labels"])


def test_other_centroids_are_debiased_anew(made):
    ran = made.make("mars", "CENTROIDS=centroids_minimum")
    assert "-c configs/debias/centroids_minimum.yaml" in " ".join(ran["debias-cam-stego/centroids"])
    assert not any(stage.startswith(("wsss", "uss")) for stage in ran)


def test_every_further_training_gets_its_gap(house):
    (house.folder / "data/voc/SegmentationClass").mkdir(parents=True, exist_ok=True)
    house.make("gap", "SEEDS=0 1", "ALSO=mars_removal")
    calls = (house.folder / "calls.txt").read_text().splitlines()
    runs = "runs/voc runs/voc-seed1"
    assert [call for call in calls if call.startswith("gap")] == [
        f"gap {runs} --row final",
        f"gap {runs} --row mars_removal",
    ]


def test_the_gap_is_that_of_the_chosen_training(house):
    (house.folder / "data/voc/SegmentationClass").mkdir(parents=True, exist_ok=True)
    house.make("gap", "TRAIN=mars_removal", "ALSO=mars debiased")
    calls = (house.folder / "calls.txt").read_text().splitlines()
    rows = [call.split("--row ")[1] for call in calls if call.startswith("gap")]
    assert rows == ["mars_removal", "final", "debiased-network"]


def test_one_run_does_not_hold_several_seeds(house):
    command = ["make", "-n", "gap", "DATA=voc", "VENV=venv", "MARS=./stub", "RUN=mine", "SEEDS=0 1"]
    done = subprocess.run(command, cwd=house.folder, env=without_make(), capture_output=True, text=True)
    assert done.returncode and "RUN=mine names one run and SEEDS= several" in done.stderr
    house.make("gap", "RUN=mine", "SEEDS=1")
    assert (house.folder / "calls.txt").read_text().splitlines()[-1].startswith("gap runs/mine ")


def test_scenes_are_generated_where_they_are_asked_for(tmp_path):
    house = make_house(tmp_path)
    printed = make(house, "-n", "mars", "DATA=scenes", "DATA_ROOT=elsewhere/scenes").stdout
    assert "-m datamodules.synthetic.generator elsewhere/scenes\n" in printed and "root elsewhere/scenes" in printed


def test_scenes_that_are_still_to_be_generated_are_measured_as_later_ones(tmp_path):
    house = make_house(tmp_path)
    first = plan(house, "mars", "DATA=scenes")
    for name in ("SegmentationClass", "Companion"):
        (house / "data/scenes" / name).mkdir(parents=True)
    rows = {name: words for name, words in plan(house, "mars", "DATA=scenes").items() if words[0] == "evaluate"}
    assert rows and all("--companion" in words for words in rows.values())
    assert {name: first[name] for name in rows} == rows


def break_at(house, stage):
    (house.folder / "break").write_text(stage)
    ran = house.make("mars", code=2)
    (house.folder / "break").unlink()
    return ran


def test_a_failing_stage_leaves_no_finished_name_and_stops_the_rest(house):
    ran = break_at(house, "debias-cam-stego/centroids")
    assert list(ran)[-1] == "debias-cam-stego/centroids"
    assert not house.stage("debias-cam-stego/centroids").exists()
    assert not house.stage("debias-cam-stego/labels").exists()
    assert not house.stage("seconds/debias-cam-stego-centroids").exists()
    assert next(iter(house.make())) == "debias-cam-stego/centroids"


def test_a_failing_predict_starts_afresh(house):
    break_at(house, "debias-cam-stego/centroids")
    (house.stage("debias-cam-stego/centroids.part") / "old.png").touch()
    ran = house.make()
    assert "--ckpt_path" not in ran["debias-cam-stego/centroids"]
    assert not (house.stage("debias-cam-stego/centroids") / "old.png").exists()


def test_an_interrupted_fit_goes_on(house):
    break_at(house, "wsss-cam/fit")
    ran = house.make()
    words = ran["wsss-cam/fit"]
    assert words[words.index("--ckpt_path") + 1] == "runs/voc/wsss-cam/fit.part/checkpoints/last.ckpt"
    assert list(ran) == [*STAGES, "report runs/voc"]


def test_an_interrupted_fit_that_never_reached_a_checkpoint_starts_again(house):
    break_at(house, "wsss-cam/fit")
    shutil.rmtree(house.stage("wsss-cam/fit.part") / "checkpoints")
    assert "--ckpt_path" not in house.make()["wsss-cam/fit"]


def test_an_interrupted_fit_starts_afresh_when_its_words_changed(house):
    break_at(house, "wsss-cam/fit")
    path = house.folder / "configs/wsss/cam.yaml"
    path.write_text(path.read_text() + "# changed\n")
    assert "--ckpt_path" not in house.make()["wsss-cam/fit"]


def test_an_interrupted_fit_starts_afresh_when_its_input_changed(house):
    break_at(house, "segment-mars-deeplabv3plus_resnet101-cam-stego/fit")
    path = house.folder / "configs/debias/labels.yaml"
    path.write_text(path.read_text() + "# changed\n")
    ran = house.make()
    assert next(iter(ran)) == "debias-cam-stego/labels"
    assert "--ckpt_path" not in ran[STAGES[6]]


def write_launcher(house, first):
    """A launcher that does `first` and then what it was given."""
    launcher = house.folder / "launch"
    launcher.write_text(f'#!/bin/bash\n{first}\nexec "$@"\n')
    launcher.chmod(0o755)


def test_a_launcher_stands_before_fit_and_predict_only(house):
    (house.folder / "data/voc/SegmentationClass").mkdir()
    write_launcher(house, 'shift\necho "$2" >> launched.txt')
    ran = house.make("mars", "LAUNCH=./launch --two")
    launched = (house.folder / "launched.txt").read_text().split()
    jobs = [words[0] for words in ran.values() if words[0] in ("fit", "predict")]
    assert launched == jobs
    assert len(ran) > len(jobs)


@pytest.mark.parametrize("jobs", [1, 2])
def test_stages_side_by_side_share_the_cores_and_the_last_fit_takes_them_all(house, monkeypatch, jobs):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    write_launcher(house, 'echo "${OMP_NUM_THREADS-all} $*" >> threads.txt')
    house.make(*["-j2"] * (jobs > 1), "mars", "LAUNCH=./launch")
    said = (house.folder / "threads.txt").read_text().splitlines()
    share = "all" if jobs == 1 else str(max(1, os.cpu_count() // jobs))
    assert len(said) == len(STAGES)
    for line in said:
        last = " fit " in line and "segment-mars-" in line
        assert line.split()[0] == ("all" if last else share), line


def test_side_by_side_a_number_of_threads_in_the_environment_holds(house, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    write_launcher(house, 'echo "$OMP_NUM_THREADS" >> threads.txt')
    house.make("-j2", "mars", "LAUNCH=./launch")
    assert set((house.folder / "threads.txt").read_text().split()) == {"7"}


def test_methods_measures_each_pair_once_and_shares_stages(house):
    ran = house.make("methods", "EACH_WSSS=irn advcam", "EACH_USS=stego backbone")
    calls = (house.folder / "calls.txt").read_text().splitlines()
    assert calls[-1] == "methods runs/voc"
    fits = [line for line in calls if line.startswith("fit ")]
    assert sum("wsss-cam/fit.part" in line for line in fits) == 1
    assert sum("segment-baseline" in line for line in fits) == 2 and sum("segment-mars" in line for line in fits) == 4
    assert {"debias-irn-stego/labels", "debias-advcam-backbone/labels"} <= set(ran)
    assert sorted(path.stem for path in house.stage("methods").glob("*.json")) == [
        "advcam-backbone", "advcam-stego", "irn-backbone", "irn-stego",
    ]  # fmt: skip
    house.make("methods", "EACH_WSSS=irn advcam", "EACH_USS=stego backbone")
    assert (house.folder / "calls.txt").read_text() == "methods runs/voc\n"


def test_methods_of_another_segmenter_are_measured_again(house):
    pair = ("methods", "EACH_WSSS=irn", "EACH_USS=stego")
    house.make(*pair)
    fits = {name for name in house.make(*pair, "SEGMENTER=deeplabv2_resnet50") if name.endswith("/fit")}
    assert fits and all("deeplabv2_resnet50" in name for name in fits)
    assert "report runs/voc" in house.make(*pair), "the first one's fits are there, its figures are not"
    assert set(house.make(*pair)) == {"methods runs/voc"}


def test_rows_follow_the_truth(made):
    (made.folder / "data/voc/SegmentationClass").mkdir()
    ran = made.make()
    rows = {name.rsplit("/", 1)[-1] for name in ran if name.endswith(".json")}
    assert rows == {
        f"{row}.json" for row in ("pseudo", "pseudo-baseline", "debiased", "complemented", "baseline", "final")
    }
    assert {stage for stage in ran if stage.startswith("segment-baseline")} and not DEBIAS_ON & set(ran)
    assert made.make() == {}


def test_the_list_of_targets(house):
    done = subprocess.run(
        ["make", "VENV=venv"], cwd=house.folder, env=without_make(), capture_output=True, text=True, check=True
    )
    assert {line.split()[0] for line in done.stdout.splitlines() if line.strip()} >= {
        "demo",
        "test",
        "mars",
        "gap",
        "bench",
    }


@pytest.mark.parametrize("choice", ["WSSS", "USS", "BACKBONE", "SEGMENTER", "TRAIN", "TRAINER"])
def test_a_misspelt_choice_is_refused_before_anything_runs(house, choice):
    assert house.make("mars", f"{choice}=misspelt", code=2) == {}
    command = ["make", "DATA=voc", "VENV=venv", f"{choice}=misspelt", "mars"]
    done = subprocess.run(command, cwd=house.folder, env=without_make(), capture_output=True, text=True)
    (line,) = done.stderr.splitlines()
    assert "misspelt.yaml: no such file; mend the choice or write it" in line
