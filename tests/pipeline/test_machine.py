import pytest

from mars_pl.pipeline import machine


@pytest.fixture
def has(tmp_path, monkeypatch):
    """A machine with so many GPUs and such flags; none of them known where they are None."""

    def have(gpus=None, flags=None, visible=None):
        monkeypatch.setattr(machine, "NVIDIA", tmp_path / "gpus")
        monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "cpuinfo")
        monkeypatch.setattr(machine.shutil, "which", lambda name: None)
        if gpus is not None:
            for number in range(gpus):
                (tmp_path / "gpus" / str(number)).mkdir(parents=True)
        if flags is not None:
            (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n" * 2)
        if visible is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return have


@pytest.mark.parametrize(
    ("gpus", "visible", "trainer"),
    [
        (1, None, "gpu"),
        (2, None, "ddp"),
        (8, None, "ddp"),
        (8, "3", "gpu"),
        (8, "3,5", "ddp"),
        (1, "0,1", "gpu"),  # one that is not there
        (2, "", "cpu"),
        (2, "-1", "cpu"),
        (2, "GPU-8f2c, ", "gpu"),
        (0, None, "cpu"),
        (None, None, "cpu"),
        (None, "0", "cpu"),
    ],
)
def test_gpus_are_used_where_they_may_be(has, gpus, visible, trainer):
    has(gpus, "sse2", visible)
    assert machine.best_trainer() == trainer
    assert machine.best_size() == ("full" if trainer in ("gpu", "ddp") else "small")


@pytest.mark.parametrize(
    ("flags", "trainer"),
    [
        ("sse2 avx512_bf16", "cpu_bf16"),
        ("sse2 amx_bf16 avx2", "cpu_bf16"),
        ("sse2 avx2", "cpu"),
        ("xavx512_bf16", "cpu"),
        (None, "cpu"),
    ],
)
def test_a_cpu_with_bfloat16_instructions_uses_them(has, flags, trainer):
    has(None, flags)
    assert machine.best_trainer() == trainer


@pytest.mark.parametrize(("says", "code", "count"), [("GPU 0: A\nGPU 1: B\n", 0, 2), ("No devices were found\n", 6, 0)])
def test_a_driver_that_lies_elsewhere_is_asked(has, tmp_path, monkeypatch, says, code, count):
    has()
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/bash\necho -n '{says}'\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setattr(machine.shutil, "which", lambda name: str(program))
    assert machine.gpu_count() == count


def test_the_trainers_are_there():
    from mars_pl.pipeline.settings.configs import find_config

    for name in ("gpu", "ddp", "cpu_bf16", "cpu"):
        assert find_config(f"trainer/{name}").is_file()
