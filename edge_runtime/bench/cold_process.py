"""One fresh process: import, open a model, classify one window, say so, and tell what that took.

`edge_runtime.bench.cold_start` starts it. It does what a user's own program does,
`Classifier(path).classify(samples)`, and only then looks at itself.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence
from typing import Any

_NANOSECONDS_PER_MS = 1e6


def run_first_label(begin_ns: int, arguments: Sequence[str]) -> None:
    """Print the decision on a line of its own, then a JSON document.

    Parameters
    ----------
    begin_ns : int
        `time.perf_counter_ns()` of the first statement in this process.
    arguments : sequence of str
        Model file, file of float32 samples, their rate in Hz, threads.
    """
    import numpy as np

    from edge_runtime.model.classifier import Classifier
    from edge_runtime.model.interpreter import import_runtime

    import_runtime()
    model, samples_file, sample_rate, num_threads = arguments
    imported, memory = time.perf_counter_ns(), {"imported_mib": resident_mib("VmRSS")}
    classifier = Classifier(model, int(num_threads))
    opened = time.perf_counter_ns()
    result = classifier.classify(np.fromfile(samples_file, np.float32), int(sample_rate))
    done = time.perf_counter_ns()
    print(result.decision, flush=True)  # whoever started us stops its clock here
    memory |= {"first_label_mib": resident_mib("VmRSS"), "peak_mib": resident_mib("VmHWM")}
    marks = (begin_ns, imported, opened, done)
    phases = [(after - before) / _NANOSECONDS_PER_MS for before, after in itertools.pairwise(marks)]
    _print_document(dict(zip(("import_ms", "open_ms", "first_inference_ms"), phases, strict=True)), memory, classifier)


def resident_mib(field: str) -> float | None:
    """Return VmRSS, the memory of this process, or VmHWM, its highest so far; None where there is no /proc.

    Notes
    -----
    Not `getrusage`: Linux lets a process start with the peak of the one that started it.
    """
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            line = next((line for line in file if line.startswith(f"{field}:")), None)
    except OSError:
        return None
    return None if line is None else int(line.split()[1]) / 1024


def _print_document(phases: dict[str, float], memory: dict[str, Any], classifier: Any) -> None:
    """Print what the process found out about itself."""
    import json

    from edge_runtime.bench.arena import arena_bytes
    from edge_runtime.model.interpreter import open_interpreter

    memory["arena_bytes"] = arena_bytes(classifier.interpreter, classifier.model)
    plain = open_interpreter(classifier.model, use_xnnpack=False)
    memory["arena_without_delegate_bytes"] = arena_bytes(plain, classifier.model)
    json.dump({"phases": phases, "memory": memory}, sys.stdout)
