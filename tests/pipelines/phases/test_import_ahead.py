"""The model's SDK is imported while a job waits for something else."""

import subprocess
import sys

PROGRAM = """
import sys, threading
from pipelines.phases import import_ahead, phase_function
import_ahead(sys.argv[1])
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print("anthropic" in sys.modules)
phase_function(sys.argv[1])
"""


def ahead(phase: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM, phase], capture_output=True, text=True, check=False)


def test_a_phase_and_the_sdk_that_it_uses_are_imported_in_another_thread() -> None:
    done = ahead("implementation")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_a_phase_that_cannot_be_imported_fails_where_it_is_used() -> None:
    done = ahead("absent")
    assert done.stdout == "False\n"
    assert done.stderr.count("Traceback") == 1
    assert "No module named 'pipelines.phases.absent'" in done.stderr
