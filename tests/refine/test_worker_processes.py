import subprocess
import sys

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
