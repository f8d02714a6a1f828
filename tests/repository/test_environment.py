"""What every script does first says in one sentence what a machine lacks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = "ensurepip, venv"


def prepare(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """`bin/environment` in a bare clone, with a Python that starts by these lines."""
    for name in ("requirements.lock", "requirements-uv.lock", "pyproject.toml", "bin/environment"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    wrapper = folder / "python"
    wrapper.write_text(f'#!/bin/sh\n{python}\nexec {sys.executable} "$@"\n')
    wrapper.chmod(0o700)
    return subprocess.run(
        ["sh", "-euc", ". bin/environment"],
        cwd=folder,
        env={**os.environ, "PYTHON": str(wrapper)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        (f'case "$*" in *"import {MODULES}"*) exit 1;; esac', "on Debian and Ubuntu install python3-venv."),
        ('case "$*" in *version_info*) exit 1;; esac', "Firstbell needs Python 3.11 or newer as python3"),
        ("exit 127", "Firstbell needs Python 3.11 or newer as python3"),
    ],
)
def test_a_python_that_does_not_do_is_one_sentence(tmp_path: Path, python: str, sentence: str) -> None:
    done = prepare(tmp_path, python)
    assert done.returncode == 1
    assert sentence in done.stderr.splitlines()[-1]
    assert not (tmp_path / ".venv").exists()
