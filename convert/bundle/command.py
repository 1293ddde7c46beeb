"""The verb `earproof bundle`."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.atomic_file import write_atomically
from metadata.plural import counted
from metadata.safe_name import safe_part

if TYPE_CHECKING:
    from convert.bundle.make_bundle import BundleArchive

DONE = 0
_ENDING = "-bundle"


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof bundle`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a folder that earproof build or earproof convert filled")
    parser.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="NAME",
        help="take this file, even where it did not pass; may be repeated (default: the best one by report.json)",
    )
    parser.add_argument(
        "--recipe", action="append", default=[], metavar="RECIPE", help="take all files of this one; may be repeated"
    )
    parser.add_argument("--all-files", action="store_true", help="take all files that passed")
    parser.add_argument("--include-failed", action="store_true", help="take all files, those that did not pass too")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.tar.gz",
        help="where it goes; it unpacks to a folder of that name, which ends in -bundle (default: RUN-bundle.tar.gz in "
        "this folder)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite the archive")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(verb: str, args: argparse.Namespace) -> int:
    """Write the archive.

    Raises
    ------
    FileExistsError
        The archive is there and --force is not given.
    FileNotFoundError, ValueError
        As `make_bundle` says; a name that does not end in .tar.gz.
    """
    from convert.bundle.make_bundle import make_bundle
    from edge_runtime.bundle.archive import ARCHIVE_SUFFIX

    out = args.out or Path(f"{args.run.resolve().name}{_ENDING}{ARCHIVE_SUFFIX}")
    if not out.name.endswith(ARCHIVE_SUFFIX):
        raise ValueError(f"--out is {out}; expected a name that ends in {ARCHIVE_SUFFIX}")
    if out.exists() and not args.force:
        raise FileExistsError(f"{out} exists; give --force to overwrite it, or another --out")
    archive = make_bundle(
        args.run,
        files=args.file,
        recipes=args.recipe,
        include_failed=args.include_failed,
        all_files=args.all_files,
        folder_name=_folder_of(out.name.removesuffix(ARCHIVE_SUFFIX)),
        tell=lambda text: print(text, file=sys.stderr),
    )
    write_atomically(out, archive.content)
    print(json.dumps(_describe(out, archive), indent=2) if args.json else _format(out, archive))
    return DONE


def _folder_of(name: str) -> str:
    """The folder that an archive of this name unpacks to: of two archives never one, and never the run's own."""
    return safe_part(name if name.endswith(_ENDING) else f"{name}{_ENDING}")


def _describe(out: Path, archive: BundleArchive) -> dict[str, Any]:
    """Return what was written for JSON."""
    return {
        "archive": str(out),
        "size_bytes": len(archive.content),
        "sha256": hashlib.sha256(archive.content).hexdigest(),
        "folder": archive.folder_name,
        "models": [model.file for model in archive.bundle.models],
        "files": {name: record.size_bytes for name, record in archive.bundle.files.items()},
    }


def _format(out: Path, archive: BundleArchive) -> str:
    """Return what was written for people."""
    document = _describe(out, archive)
    lines = [f"{size / 1000:9.1f} kB  {name}" for name, size in document["files"].items()]
    return "\n".join(
        [
            *lines,
            f"{out}: {counted(len(document['models']), 'model')}, {document['size_bytes'] / 1000:.0f} kB, "
            f"SHA-256 {document['sha256']}",
            f"on the device: tar -xzf {out.name} && cd {archive.folder_name} && python3 doctor.py; then see README.md",
        ]
    )
