"""A file that one process holds: a server its folder of takes, a training the folder of trainings.

The system frees it when the process ends, however that ends, so no number of a process that is gone is ever believed.
What a process writes into it says who it is. A child that is given the descriptor holds the file on after its parent.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows
    fcntl = None  # type: ignore[assignment]


@dataclass
class HeldFile:
    """A file to hold.

    Attributes
    ----------
    path : Path
    """

    path: Path
    descriptor: int = -1  # while it is held here

    def take(self, **holder: Any) -> bool:
        """Hold the file and write who does; return False, and leave it, where another process holds it.

        Raises
        ------
        OSError
            The system or the place knows no such lock, or the file cannot be written.
        """
        if fcntl is None:
            raise OSError("this system has no file locks (fcntl); record on Linux, macOS or WSL")
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                held = self._lock(descriptor, fcntl.LOCK_EX)
                if held and self._is_there(descriptor):
                    self.descriptor = descriptor
                    self.write(**holder)
                    return True
            except BaseException:
                self.descriptor = -1
                os.close(descriptor)
                raise
            os.close(descriptor)
            if not held:
                return False

    def write(self, **holder: Any) -> None:
        """Write who holds the file."""
        content = json.dumps(holder).encode()
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, content, 0)

    def leave(self) -> None:
        """Hold the file no more here; a child that was given the descriptor holds it on."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1

    def remove(self) -> None:
        """Take the file away, which nobody else can hold meanwhile."""
        if self.descriptor >= 0:
            self.path.unlink(missing_ok=True)
        self.leave()

    def holder(self) -> dict[str, Any] | None:
        """Return what the process wrote that holds the file; None where none does."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError:
            return None
        try:
            if self._lock(descriptor, fcntl.LOCK_SH):
                return None
            return dict(json.loads(os.pread(descriptor, 1 << 16, 0)))
        except ValueError:  # it is being written
            return {}
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int, kind: int) -> bool:
        """Lock an open file without waiting; False where another has it."""
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            told = (error.strerror or "").lower()
            raise OSError(
                f"{self.path} cannot be locked ({told}); choose a folder on a disk of this machine"
            ) from error
        return True

    def _is_there(self, descriptor: int) -> bool:
        """Whether an open file is still the one of the path: who held it before may have removed it."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(descriptor))
        except FileNotFoundError:
            return False
