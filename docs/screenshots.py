"""Takes the pictures of the README: the main pages of a demo, by day and by night, on a phone and on a desk.

    python docs/screenshots.py [FOLDER]

Starts a demo of its own on a played Thursday morning, and wants chromium on the PATH.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

from firstbell.cli.demo_school import PASSWORD
from firstbell.kernel.engines import free_port

MORNING = "2026-11-19T09:00:00+01:00"
PAGES = {
    "today-pupil": ("noor.vermeulen", "/"),
    "today-teacher": ("an.peeters", "/"),
    "today-parent": ("sofie.vermeulen", "/"),
    "timetable": ("noor.vermeulen", "/timetable"),
    "course": ("noor.vermeulen", "/courses"),
    "account": ("noor.vermeulen", "/account"),
}
SIZES = {"phone": (390, 844), "desk": (1280, 800)}
READY_SECONDS = 300
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def main(folder: Path) -> None:
    """Take every picture into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
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
                for name, (who, path) in PAGES.items():
                    _take(browser, f"http://localhost:{port}", who, path, folder / name)
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


def _take(browser: Browser, home: str, who: str, path: str, target: Path) -> None:
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                base_url=home, viewport={"width": width, "height": height}, color_scheme=scheme
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
            page.screenshot(path=f"{target}-{size}-{scheme}.png")
            context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "screenshots")
