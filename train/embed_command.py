"""The verbs `embed` and `search`: recordings as vectors, and the nearest of them."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from train.embeddings.nearest import Neighbour

DONE = 0


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one verb."""
    if verb == "embed":
        parser.add_argument(
            "model",
            metavar="MODEL",
            help="a training's folder, a .tflite file, or the name of a backbone (earproof backbone list)",
        )
        parser.add_argument("audio", nargs="+", metavar="AUDIO", help="recordings, folders of them, or a clips.csv")
        parser.add_argument("--out", type=Path, required=True, metavar="EMB.npz", help="the file to write")
        parser.add_argument("--windows", action="store_true", help="a row a window, not one a recording")
        parser.add_argument("--strict", action="store_true", help="refuse unreadable files instead of leaving them out")
        parser.add_argument("--force", action="store_true", help="overwrite EMB.npz")
    else:
        parser.add_argument("embeddings", type=Path, metavar="EMB.npz", help="of earproof embed")
        parser.add_argument("query", metavar="AUDIO", help="a recording, or the name of one in EMB.npz")
        parser.add_argument("--top", type=int, default=10, metavar="N", help="how many at most (default 10)")
        parser.add_argument(
            "--model", metavar="MODEL", help="where the model of EMB.npz is now (default: where it was then)"
        )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings and embeddings are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(verb: str, args: argparse.Namespace) -> int:
    """Do one verb; return the exit code."""
    return _embed(args) if verb == "embed" else _search(args)


def _embed(args: argparse.Namespace) -> int:
    """Write the embeddings of recordings."""
    from train.embed_api import embed
    from train.embeddings.embedded import describe

    found = embed(
        args.model,
        args.audio,
        out=args.out,
        windows=args.windows,
        cache=args.cache,
        strict=args.strict,
        force=args.force,
    )
    rows, num_values = found.embeddings.shape
    document = {
        "file": str(args.out),
        "rows": rows,
        "values": num_values,
        "recordings": len(set(found.names.tolist())),
        "model": found.model,
        "model_sha256": found.model_sha256,
        "sample_rate": found.sample_rate,
    }
    print(json.dumps(document, indent=2) if args.json else f"wrote {args.out}: {describe(found)}")
    return DONE


def _search(args: argparse.Namespace) -> int:
    """Print the nearest recordings."""
    from edge_runtime.tables import align
    from train.embed_api import search

    neighbours = search(args.embeddings, args.query, top=args.top, model=args.model, cache=args.cache)
    if args.json:
        document = {"embeddings": str(args.embeddings), "query": args.query}
        print(json.dumps({**document, "neighbours": [asdict(one) for one in neighbours]}, indent=2))
        return DONE
    has_windows = any(one.start_seconds is not None for one in neighbours)
    rows = [("similarity", *(["from (s)"] if has_windows else []), "label", "recording")]
    rows += [(f"{one.similarity:.3f}", *_begins(one), one.label, one.name) for one in neighbours]
    print("\n".join(align(rows)))
    return DONE


def _begins(neighbour: Neighbour) -> list[str]:
    """Where the nearest window begins; nothing where whole recordings are compared."""
    return [] if neighbour.start_seconds is None else [f"{neighbour.start_seconds:.2f}"]
