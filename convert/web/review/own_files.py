"""Files that are written again and again, but never over what somebody else wrote."""

from __future__ import annotations

import hashlib
from pathlib import Path

from metadata.atomic_file import write_atomically

DIGESTS_FILE = "review.sha256"


class OwnFiles:
    """Files of a folder whose digests are kept beside them, in the form of `sha256sum`.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_own(self, name: str) -> bool:
        """Return whether a file is as it was written here, or not there.

        Raises
        ------
        IsADirectoryError
            A folder has its name.
        """
        path = self._file(name)
        return not path.exists() or _digest(path.read_bytes()) in self._known().get(name, ())

    def claim(self, name: str) -> None:
        """Take a file that somebody else wrote for one to write over."""
        self._keep(name, [_digest((self.folder / name).read_bytes())])

    def write(self, name: str, content: bytes | None) -> None:
        """Write a file in one step; None removes it.

        Raises
        ------
        FileExistsError
            It is not as it was written here.
        IsADirectoryError
            A folder has its name.
        OSError
            The folder cannot be written.
        """
        path = self.folder / name
        if not self.is_own(name):
            raise FileExistsError(
                f"{path} was not written by earproof review, or was changed since; move it away, or start "
                "earproof review with --force, which writes over it"
            )
        if content is None:
            path.unlink(missing_ok=True)
            return
        if path.exists() and path.read_bytes() == content:
            return
        # Both digests are kept until the file is replaced: whenever this is stopped, the file there is known.
        before = [_digest(path.read_bytes())] if path.exists() else []
        self._keep(name, [*before, _digest(content)])
        write_atomically(path, content)

    def _file(self, name: str) -> Path:
        """Where a file is, or is to be."""
        path = self.folder / name
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; expected a file of earproof review, or nothing; move it away")
        return path

    def _known(self) -> dict[str, list[str]]:
        """The digests of each file."""
        path = self._file(DIGESTS_FILE)
        known: dict[str, list[str]] = {}
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []:
            digest, _, name = line.partition("  ")
            known.setdefault(name, []).append(digest)
        return known

    def _keep(self, name: str, digests: list[str]) -> None:
        """Write the digests of one file, and leave those of others."""
        known = {**self._known(), name: digests}
        lines = [f"{digest}  {file}\n" for file, held in known.items() for digest in held]
        write_atomically(self.folder / DIGESTS_FILE, "".join(lines).encode())


def _digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
