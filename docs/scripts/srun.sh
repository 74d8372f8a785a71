#!/usr/bin/env bash
# One fit or predict job of mars on all nodes of a SLURM allocation, a process a task:
#
#   docs/scripts/srun.sh mars fit -c data/voc …
#   mars run mars data=voc trainer=ddp launch=docs/scripts/srun.sh
set -euo pipefail

: "${SLURM_NNODES:?this is no SLURM allocation; sbatch docs/scripts/slurm.sh, or salloc first}"
: "${SLURM_NTASKS_PER_NODE:?ask for --ntasks-per-node, one task a GPU}"
# srun does not inherit the CPUs of a task from sbatch; one process that fails ends the others
exec srun --kill-on-bad-exit=1 --ntasks-per-node="$SLURM_NTASKS_PER_NODE" --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" \
    "$@" --trainer.num_nodes "$SLURM_NNODES" --trainer.devices "$SLURM_NTASKS_PER_NODE"
