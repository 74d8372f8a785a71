#!/usr/bin/env bash
#SBATCH --job-name=mars
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=SIGUSR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=mars-%j.out
#
# A whole run on several machines by SLURM. Its words are those of `mars run`, in the folder that holds data and runs:
#
#   sbatch docs/scripts/slurm.sh mars data=voc trainer=ddp wsss=rsepm
#   sbatch --nodes=4 --ntasks-per-node=8 --gpus-per-node=8 docs/scripts/slurm.sh gap data=coco trainer=ddp
#
# One task a GPU. Five minutes before its time is over a fit keeps its state after a whole step, and the job goes back into
# the queue; whatever it is ended by, the same run goes on where it stood. LAUNCH: another place of srun.sh.
set -euo pipefail

cd "${SLURM_SUBMIT_DIR:-.}"
exec mars run "${@:-mars}" launch="${LAUNCH:-docs/scripts/srun.sh}"
