"""The scripts of docs/many_machines.md, on two machines that are this one: torchrun is real, ssh and srun are not."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from datamodules.files.shards.place import place
from tests.cli.tiny_fit import TinyFit
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import REPOSITORY
from tests.processes.agreement import TEN
from tests.processes.job_environment import environment_of_job
from tests.processes.started import start

SCRIPTS = REPOSITORY / "docs/scripts"
BIN = Path(sys.executable).parent

SSH = """#!/bin/bash
echo "$*" >> "$FAKE/ssh.said"
while [[ $1 == -* ]]; do [[ $1 == -o ]] && shift; shift; done
[[ $1 == gone ]] && sleep 3 && exit 255
exec bash -c "$2"
"""
SRUN = """#!/bin/bash
echo "$*" >> "$FAKE/srun.said"
while [[ $1 == -* ]]; do shift; done
export SLURM_NTASKS=$((SLURM_NNODES * SLURM_NTASKS_PER_NODE))
for ((task = 0; task < SLURM_NTASKS; task++)); do
    SLURM_PROCID=$task SLURM_LOCALID=$((task % SLURM_NTASKS_PER_NODE)) \\
        SLURM_NODEID=$((task / SLURM_NTASKS_PER_NODE)) "$@" &
done
code=0
for ((task = 0; task < SLURM_NTASKS; task++)); do wait -n || code=$?; done
exit $code
"""
"""One task a node and both nodes here; SLURM's own variables, as its page of srun names them."""


@pytest.fixture
def cluster(tmp_path):
    """The environment of a shell whose `ssh` and `srun` start things on this machine."""
    fake = tmp_path / "fake"
    fake.mkdir()
    for name, script in (("ssh", SSH), ("srun", SRUN)):
        (fake / name).write_text(script)
        (fake / name).chmod(0o755)
    known = {name: value for name, value in environment_of_job().items() if not name.startswith(("SLURM", "MASTER"))}
    return known | {
        "PATH": f"{fake}:{BIN}:{os.environ['PATH']}",
        "FAKE": str(fake),
    }


@pytest.fixture
def allocation(cluster):
    """The same within an allocation of two nodes with one task each."""
    job = {"ID": "4711", "NAME": "mars", "NNODES": "2", "NTASKS_PER_NODE": "1", "NODELIST": "127.0.0.1", "NTASKS": "2"}
    return cluster | {
        f"SLURM_JOB_{name}" if name in ("ID", "NAME") else f"SLURM_{name}": value for name, value in job.items()
    }


def run(script, *words, environment, house):
    return subprocess.run(
        [SCRIPTS / script, *map(str, words)], cwd=house, env=environment, capture_output=True, text=True, timeout=300
    )


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def hosts_of(cluster, *hosts):
    return cluster | {"HOSTS": " ".join(hosts), "PROCESSES": "1", "PORT": free_port()}


@pytest.mark.slow
def test_two_agents_of_torchrun_learn_what_two_processes_learn(cluster, tmp_path):
    fit = TinyFit(tmp_path / "house")
    words = ["fit", *fit.words, *TEN, "--trainer.default_root_dir"]
    whole = start([*words, "whole"], fit.house, 2)
    assert whole.returncode == 0, whole.stderr
    hosts = hosts_of(cluster, "127.0.0.1", "localhost")
    done = run("torchrun.sh", "mars", *words, "two", "--trainer.strategy", "ddp", environment=hosts, house=fit.house)
    assert done.returncode == 0, done.stderr
    assert "batch of an optimiser step: 6 = 2 processes × 3" in done.stdout + done.stderr
    said = (tmp_path / "fake/ssh.said").read_text()
    assert {*re.findall(r"^-tt -o BatchMode=yes (\S+) cd ", said, re.MULTILINE)} == {"127.0.0.1", "localhost"}
    ours, theirs = (load_file(fit.house / name / "weights.safetensors") for name in ("two", "whole"))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_machine_that_cannot_be_reached_ends_the_others(cluster, tmp_path):
    done = run("torchrun.sh", "mars", "fit", environment=hosts_of(cluster, "127.0.0.1", "gone"), house=tmp_path)
    assert done.returncode == 255
    assert alive(str(tmp_path)) == []


def test_what_torchrun_has_to_know(cluster, tmp_path):
    for missing, said in (("MASTER", "which machine is the first?"), ("NODES", "how many machines are there?"),
                          ("PROCESSES", "one a GPU")):  # fmt: skip
        known = {name: "1" for name in ("MASTER", "NODES", "PROCESSES") if name != missing}
        done = run("torchrun.sh", "mars", "fit", environment=cluster | known, house=tmp_path)
        assert done.returncode != 0 and said in done.stderr
    assert "name a job: mars fit" in run("torchrun.sh", environment=cluster, house=tmp_path).stderr


BOTH = {
    "model.network.backbone": "test_resnet",
    "model.network.pretrained": "false",
    "model.network.frozen": "[]",
    "model.network.frozen_batch_norm": "false",
    "model.scales": "[1.0,0.5]",
    "data.workers": "0",
}
FIT = {
    "data.batch_size": "2",
    "data.training_set.crop_size": "32",
    "data.training_set.long_side": "[32,48]",
    "trainer.max_epochs": "2",
}
LABELS = {"writer.refine": "null", "writer.workers": "0", "writer.shards": "here"}


@pytest.mark.slow
def test_a_run_by_slurm_on_two_nodes(allocation, tmp_path):
    """The script's body is what sbatch starts on the first node."""
    house = tmp_path / "house"
    ids = make_voc_tree(house / "data/voc", 8, image_labels="npy")[:6]
    words = ["wsss-labels", "data=voc", "wsss=cam", "trainer=cpu"]
    words += [f"wsss-classifier.{name}={value}" for name, value in (BOTH | FIT).items()]
    words += [f"wsss-labels.{name}={value}" for name, value in (BOTH | LABELS).items()]
    submitted = allocation | {
        "SLURM_SUBMIT_DIR": str(house),
        "LAUNCH": str(SCRIPTS / "srun.sh"),
        "MASTER_PORT": free_port(),
    }
    done = run("slurm.sh", *words, environment=submitted, house=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "batch of an optimiser step: 2 = 2 processes × 1" in done.stdout + done.stderr
    steps = (tmp_path / "fake/srun.said").read_text().splitlines()
    options = "--kill-on-bad-exit=1 --ntasks-per-node=1 --cpus-per-task=1"
    assert [re.sub(rf"^{options} \S+/mars (\w+) .*", r"\1", step) for step in steps] == ["fit", "predict"]
    assert all(step.endswith("--trainer.num_nodes 2 --trainer.devices 1") for step in steps)
    [stage] = (house / "runs/stages").glob("wsss-labels-*")
    for name in ("mars", "baseline"):
        labels = place(stage / name)
        assert list(labels.names()) == [f"{image_id}.png" for image_id in ids]
        assert labels.index.shards() == ["shard-0-000000.tar", "shard-1-000000.tar"]
    assert run("slurm.sh", *words, environment=submitted, house=tmp_path).returncode == 0, "SLURM starts it once more"
    assert len((tmp_path / "fake/srun.said").read_text().splitlines()) == 2, "and nothing is left to do"


def test_srun_wants_an_allocation(cluster, tmp_path):
    done = run("srun.sh", "mars", "fit", environment=cluster, house=tmp_path)
    assert done.returncode != 0 and "this is no SLURM allocation; sbatch docs/scripts/slurm.sh" in done.stderr
    done = run("srun.sh", "mars", "fit", environment=cluster | {"SLURM_NNODES": "2"}, house=tmp_path)
    assert done.returncode != 0 and "ask for --ntasks-per-node, one task a GPU" in done.stderr


def test_the_page_names_every_shell_script_and_no_other():
    page = (REPOSITORY / "docs/many_machines.md").read_text()
    assert {*re.findall(r"scripts/(\w+\.sh)", page)} == {path.name for path in SCRIPTS.glob("*.sh")}
    assert all(os.access(path, os.X_OK) for path in SCRIPTS.glob("*.sh"))


def alive(folder):
    """The commands of this user whose working folder is one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == Path(folder):
                found.append((process / "cmdline").read_bytes())
        except OSError:
            continue
    return found
