"""What a worker says that starts while its job ends."""

import subprocess
import sys
import textwrap

from tests.processes.job_environment import environment_of_job

LOST_LOCK = """
    import sys
    from multiprocessing import synchronize
    import mars_pl.refine.orphaned_start
    lock = object.__new__(synchronize.Lock)
    {before}
    lock.__setstate__((-1, 1, 1, "/a-lock-that-nobody-has-made"))
"""


def said(before):
    code = textwrap.dedent(LOST_LOCK).format(before=before)
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, env=environment_of_job(), check=False)
    assert done.returncode == 1
    return done.stderr


def test_a_lock_that_went_with_the_job_is_not_worth_a_word():
    assert said("pass") == ""


def test_every_other_error_is_said():
    assert "FileNotFoundError" in said("open('/no/such/file')")
    assert "ZeroDivisionError" in said("1 / 0")
