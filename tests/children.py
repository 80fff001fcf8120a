"""Python in a process of its own, which never outlives its test."""

import subprocess
import sys
import threading
from contextlib import contextmanager

from tests.kernel import PATIENCE, ROOT


@contextmanager
def python(*arguments, **options):
    """Give a running interpreter, in which a warning is an error; it has `PATIENCE` seconds."""
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    with subprocess.Popen(command, cwd=ROOT, **options) as process:
        killer = threading.Timer(PATIENCE, process.kill)
        killer.start()
        try:
            yield process
        finally:
            killer.cancel()
            process.kill()


def let_everybody_in(path):
    """Let other users reach a temporary folder of a test."""
    for folder in (path, *path.parents):
        if "pytest-of-" in str(folder):
            folder.chmod(0o755)
