"""The page of two runs in Chromium, opened from disk: axe-core finds nothing, nothing is fetched, nothing overflows.

Skipped where Node.js, Chromium or the modules of `web/` are missing; with the environment variable CI that fails.
"""

import shutil

import pytest
from page_in_browser import find_node, run_node
from small_run import LENGTH, RATE, write_small_run

import earproof

LOOKS = [f"{scheme}, {width} px" for scheme in ("light", "dark") for width in (1280, 360)]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of two runs, and what was seen of it."""
    node = find_node()
    folder = tmp_path_factory.mktemp("page")
    runs = [str(write_small_run(folder / name)) for name in ("a", "b")]  # two, whose parts must not be mistaken
    page = folder / "compare.html"
    assert earproof.main(["compare", *runs, "--out", str(page)]) == 0
    job = {"address": page.as_uri()}
    return {**job, **run_node(node, "open_report.mjs", shutil.which("chromium"), job=job, folder=folder)}


def test_axe_finds_nothing_in_light_and_dark_wide_and_narrow(report):
    assert report["axe"] == {look: [] for look in LOOKS}


def test_nothing_is_asked_of_another_host_and_nothing_is_written_to_the_console(report):
    asked = [one for one in report["requests"] if one != report["address"]]
    assert [one for one in asked if not one.startswith("data:")] == []
    assert report["faults"] + report["console"] == []


def test_the_page_is_no_wider_than_its_window(report):
    assert {look: one["width"] for look, one in report["looks"].items()} == dict(
        zip(LOOKS, (1280, 360) * 2, strict=True)
    )


def test_the_mistakes_can_be_heard_and_seen(report):
    looks = report["looks"].values()
    assert [one["seconds"] for one in looks] == [LENGTH / RATE] * 4
    assert all(one["pictures"] and min(one["pictures"]) > 0 for one in looks)
