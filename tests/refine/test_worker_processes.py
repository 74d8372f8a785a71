import os
import signal
import subprocess
import sys

from mars_pl.refine.worker_processes import worker_processes

KILLED = """
import os, signal, time
from mars_pl.refine.worker_processes import worker_processes
pool = worker_processes(1, "os")
print(pool.submit(os.getpid).result() != os.getpid(), flush=True)
pool.submit(time.sleep, 300)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_ends_with_the_process_that_gave_it_work():
    # The worker holds the pipe that is read here to its end: one that lived on would be waited for.
    done = subprocess.run([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, timeout=100)
    assert (done.returncode, done.stdout.split()) == (-9, ["True"])


def test_what_a_terminal_sends_to_all_leaves_a_worker_to_the_process_that_gave_it_work():
    """It said so in twenty lines of traceback before."""
    pool = worker_processes(1, "os")
    worker = pool.submit(os.getpid).result(timeout=60)
    os.kill(worker, signal.SIGINT)
    assert pool.submit(os.getpid).result(timeout=60) == worker
    pool.shutdown()
