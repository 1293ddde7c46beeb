"""What `earproof data check` finds in a folder of takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from convert.web.record.trainings import last_line


def find_faults(data: Path) -> list[dict[str, Any]]:
    """Return what the check finds, as its JSON has it: level, kind, text and clips of each finding.

    It runs in a process of its own: a decoder that a damaged recording brings down takes no page with it.

    Raises
    ------
    ValueError
        What the check refuses, such as a table with faults.
    """
    command = [sys.executable, "-m", "earproof", "data", "check", str(data), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        said = last_line(done.stderr) or f"earproof data check ended with {done.returncode}"
        raise ValueError(said) from None
    return list(found["findings"])
