"""Keras and its backend, imported without their start-up chatter."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


def load_keras() -> ModuleType:
    """Import Keras with its backend; what the native libraries print meanwhile is shown only if that fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # With operators side by side two trainings of the 1D CNN with one seed differ from the first epoch on, as measured.
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of every model it sees for the first time
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "import.log"
        try:
            with native_output_to(log):
                import keras
        except ImportError as error:
            raise RuntimeError(f"Keras cannot be imported: {error}\n{log.read_text(errors='replace')}") from error
    module: ModuleType = keras
    return module


@contextlib.contextmanager
def native_output_to(log: Path) -> Iterator[None]:
    """Send file descriptors 1 and 2 to a file: native libraries do not ask Python where to print."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    try:
        with log.open("wb") as target:
            os.dup2(target.fileno(), 1)
            os.dup2(target.fileno(), 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, original in zip((1, 2), saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)
