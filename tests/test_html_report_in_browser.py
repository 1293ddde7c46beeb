"""The page of two runs in Chromium, opened from disk: axe-core finds nothing, nothing is fetched, nothing overflows.

Skipped where Chromium, node or npm is missing; where CI is set that fails, as soon as setup.sh installs them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from small_run import LENGTH, RATE, write_small_run

import earproof

REPOSITORY = Path(__file__).resolve().parents[1]
CLIENT = REPOSITORY / "tests" / "clients" / "page"
MODULES = REPOSITORY / ".cache" / "clients" / "page"
PROGRAMS = ("chromium", "node", "npm")


@pytest.fixture(scope="module")
def looks(tmp_path_factory):
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        why = f"{', '.join(missing)} not on this machine (Debian: apt-get install chromium nodejs npm)"
        is_promised = "chromium" in (REPOSITORY / "setup.sh").read_text(encoding="utf-8")
        (pytest.fail if os.environ.get("CI") and is_promised else pytest.skip)(why)
    _install()
    folder = tmp_path_factory.mktemp("page")
    runs = [str(write_small_run(folder / name)) for name in ("a", "b")]  # two, whose parts must not be mistaken
    page = folder / "compare.html"
    assert earproof.main(["compare", *runs, "--out", str(page)]) == 0
    command = [shutil.which("node"), MODULES / "open_page.js", shutil.which("chromium"), page]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_axe_finds_nothing_in_light_and_dark_wide_and_narrow(looks):
    assert [(one["colorScheme"], one["viewport"]) for one in looks] == [
        *(("light", 1280), ("light", 360), ("dark", 1280), ("dark", 360))
    ]
    assert [one["violations"] for one in looks] == [[]] * 4


def test_nothing_is_asked_of_another_host_and_nothing_is_written_to_the_console(looks):
    assert [one["asked"] for one in looks] == [[]] * 4
    assert [one["errors"] for one in looks] == [[]] * 4


def test_the_page_is_no_wider_than_its_window(looks):
    assert [one["width"] for one in looks] == [one["viewport"] for one in looks]


def test_the_mistakes_can_be_heard_and_seen(looks):
    assert [one["seconds"] for one in looks] == [LENGTH / RATE] * 4
    assert all(one["pictures"] and min(one["pictures"]) > 0 for one in looks)


def _install():
    """Put the client and its modules into the cache where they are missing or others."""
    MODULES.mkdir(parents=True, exist_ok=True)
    named, there = CLIENT / "package.json", MODULES / "package.json"
    is_new = not there.is_file() or there.read_bytes() != named.read_bytes()
    shutil.copy(CLIENT / "open_page.js", MODULES)
    if is_new:
        shutil.copy(named, there)
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
        done = subprocess.run(command, cwd=MODULES, capture_output=True, text=True, check=False)
        if done.returncode:
            there.unlink()
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"npm install failed: {done.stderr[-500:]}")
