"""What the tests of the page need: Node.js, Chromium, the built page, and a server of it."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from convert.web.site import BUILT_PAGE

HERE = Path(__file__).parent
WEB = HERE.parent / "web"


def find_node() -> str:
    """Return where Node.js is; skip where something is missing, but fail where the environment variable CI is set."""
    missing = [name for name in ("node", "chromium") if shutil.which(name) is None]
    missing += [str(path) for path in (BUILT_PAGE / "index.html", WEB / "node_modules") if not path.exists()]
    if not missing:
        return str(shutil.which("node"))
    reason = f"the page cannot be tried, for want of {', '.join(missing)}; ./setup.sh test brings them"
    return pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def run_node(node, script, *arguments, job, folder, timeout=180):
    """Return what a script of web_page/ writes about a job.

    Its pictures go into the folder that the environment variable EARPROOF_PICTURES names, where that is set.
    """
    (folder / "job.json").write_text(json.dumps({**job, "pictures": os.environ.get("EARPROOF_PICTURES", "")}))
    command = [node, HERE / "web_page" / script, WEB, *arguments, folder / "job.json", folder / "out.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "out.json").read_text(encoding="utf-8"))


@contextlib.contextmanager
def served(*arguments, **environment):
    """Yield the address that a verb which serves a page prints first."""
    command = [sys.executable, "-m", "earproof", *map(str, arguments), "--no-open"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent, env={**os.environ, **environment}
    ) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()
