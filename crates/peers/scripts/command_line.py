"""Runs the official `globus` command line."""

import os
import re
import subprocess
import sys
from pathlib import Path

from scripted_login import code_from

GLOBUS = str(Path(sys.executable).with_name("globus"))


def globus(*words, status=0, env=None):
    """Runs a command, checks its exit status, and returns its output."""
    done = subprocess.run(
        [GLOBUS, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}
    )
    said = f"globus {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == status, said
    return done.stdout + done.stderr


def globus_login(*words):
    """Runs a command that prints a login link and reads the code; returns its output."""
    command = [GLOBUS, *words, "--no-local-server"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
    said = ""
    while not (link := re.search(r"^http\S+$", said, re.MULTILINE)):
        line = process.stdout.readline()
        assert line, f"no link in {said}"
        said += line
    more, _ = process.communicate(code_from(link.group(0)) + "\n")
    assert process.returncode == 0, said + more
    return said + more
