"""Takes the pictures that the README shows: the main pages of a demo, by day or by night, on a phone or on a desk.

    python docs/screenshots.py

Starts a demo of its own on a played Thursday morning, and wants chromium on the PATH.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal, NamedTuple

import httpx
from playwright.sync_api import Browser, sync_playwright

from firstbell.cli.demo_school import PASSWORD
from firstbell.kernel.engines import free_port

ROOT = Path(__file__).parents[1]
MORNING = "2026-11-19T09:00:00+01:00"
PAGES = {
    "today-pupil": ("noor.vermeulen", "/"),
    "today-teacher": ("an.peeters", "/"),
    "today-parent": ("sofie.vermeulen", "/"),
    "timetable": ("noor.vermeulen", "/timetable"),
    "course": ("noor.vermeulen", "/courses"),
}
SIZES = {"phone": (390, 844), "desk": (1280, 800)}
READY_SECONDS = 300
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


class Picture(NamedTuple):
    """What the README shows: a page at a size, by day (light) or by night (dark)."""

    path: str
    page: str
    size: str
    scheme: Literal["light", "dark"]


def main() -> None:
    """Take every picture that the README names."""
    named = re.findall(r'"(docs/screenshots/([^"]+)-(phone|desk)-(light|dark)\.png)"', (ROOT / "README.md").read_text())
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="firstbell-") as data:
        demo = subprocess.Popen(
            [sys.executable, "-m", "firstbell", "demo", f"--port={port}", f"--data-dir={data}", "--pupils=100"],
            env={**os.environ, "FIRSTBELL_CLOCK": MORNING},
        )
        try:
            _wait_for(f"http://localhost:{port}/ready")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
                for found in named:
                    _take(browser, f"http://localhost:{port}", Picture(*found))
                browser.close()
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(address).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise SystemExit("The demo did not become ready.")


def _take(browser: Browser, home: str, picture: Picture) -> None:
    who, path = PAGES[picture.page]
    width, height = SIZES[picture.size]
    context = browser.new_context(
        base_url=home, viewport={"width": width, "height": height}, color_scheme=picture.scheme
    )
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("[name=name]", who)
    page.fill("[name=password]", PASSWORD)
    page.click("form button.go")
    page.wait_for_url("**/")
    page.goto(path)
    if path == "/courses":
        page.locator("main a[href^='/courses/']").first.click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=ROOT / picture.path)
    context.close()


if __name__ == "__main__":
    main()
