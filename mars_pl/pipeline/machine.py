"""What the machine has, told without loading torch: GPUs and bfloat16 instructions."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
NVIDIA = Path("/proc/driver/nvidia/gpus")
BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""Flags of CPUs on which convolutions and transformers take little more than half the time in bfloat16."""


def best_trainer() -> str:
    """Return the trainer YAML that suits the machine: ``ddp`` for several GPUs, ``gpu``, ``cpu_bf16`` or ``cpu``."""
    gpus = gpu_count()
    if gpus:
        return "gpu" if gpus == 1 else "ddp"
    return "cpu_bf16" if _has_bfloat16() else "cpu"


def best_size() -> str:
    """Return the size of networks and crops that suits the machine: ``full`` with a GPU, ``small`` without one."""
    return "full" if gpu_count() else "small"


def gpu_count() -> int:
    """Return how many NVIDIA GPUs this process may use; ``CUDA_VISIBLE_DEVICES`` hides the others."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        named = [name for name in visible.split(",") if name.strip()]
        return 0 if named[:1] == ["-1"] else min(len(named), _gpus_there())
    return _gpus_there()


def _gpus_there() -> int:
    if NVIDIA.is_dir():
        return sum(1 for _ in NVIDIA.iterdir())
    program = shutil.which("nvidia-smi")  # where the driver lies outside, as in WSL
    if program is None:
        return 0
    listed = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines()) if listed.returncode == 0 else 0


def _has_bfloat16() -> bool:
    if not CPU_INFO.is_file():
        return False
    flags = CPU_INFO.read_text(encoding="utf-8", errors="replace").split()
    return any(flag in flags for flag in BFLOAT16)
