#!/usr/bin/env bash
# One fit or predict job of mars on several machines by torchrun. The folder that it is typed in, with data and runs, and
# the environment of mars have the same path on all of them.
#
#   on each machine:        MASTER=node1 NODES=2 PROCESSES=4 docs/scripts/torchrun.sh mars fit -c data/voc …
#   on the first, by ssh:   HOSTS="node1 node2" PROCESSES=4 docs/scripts/torchrun.sh mars fit -c data/voc …
#   a whole run, by ssh:    export HOSTS="node1 node2" PROCESSES=4
#                           mars run mars data=voc trainer=ddp launch=docs/scripts/torchrun.sh
#
# PROCESSES: of each machine, one a GPU. MASTER: name of the first machine, as the others know it. PORT: free there.
# ADDRESS: this machine's own name for the others, where its host name is not one.
set -euo pipefail

program=$(command -v "${1:?name a job: mars fit …}")
port=${PORT:-29500}
: "${PROCESSES:?how many processes does each machine run? one a GPU}"

if [[ -n ${HOSTS:-} ]]; then
    read -ra hosts <<< "$HOSTS"
    trap 'trap - EXIT; kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    trap 'exit 143' TERM
    trap 'exit 130' INT
    for host in "${hosts[@]}"; do
        own=(env HOSTS= "MASTER=${hosts[0]}" "NODES=${#hosts[@]}" "PROCESSES=$PROCESSES" "PORT=$port" "ADDRESS=$host"
            "JOB=mars-$$" "OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}" "$(realpath "$0")" "$program" "${@:2}")
        # -tt: what runs there ends when this ends
        ssh -tt -o BatchMode=yes "$host" "cd $(printf '%q' "$PWD") && exec $(printf '%q ' "${own[@]}")" < /dev/null &
    done
    for _ in "${hosts[@]}"; do
        wait -n || exit $? # the others end with the first that failed
    done
    exit 0
fi

: "${MASTER:?which machine is the first?}" "${NODES:?how many machines are there?}"
exec "$(dirname "$program")/torchrun" --no-python --nnodes "$NODES" --nproc_per_node "$PROCESSES" \
    --rdzv_backend c10d --rdzv_endpoint "$MASTER:$port" --rdzv_id "${JOB:-mars}" --max_restarts 0 \
    ${ADDRESS:+--local_addr "$ADDRESS"} \
    "$program" "${@:2}" --trainer.num_nodes "$NODES" --trainer.devices "$PROCESSES"
