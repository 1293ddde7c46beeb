"""The verb `earshot parity` for finished `.tflite` files: golden vectors and the phone's path."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edge_runtime.classifier import Classifier
from edge_runtime.file_parity import format_results, parity_of_file, read_golden
from edge_runtime.microphone import to_shorts
from edge_runtime.recordings import Decode, load_waveform

DONE, CHECK_FAILED = 0, 1


def add_parity_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earshot parity`."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help=".tflite files")
    parser.add_argument(
        "--audio", type=Path, nargs="+", default=[], metavar="AUDIO", help="recordings for the phone path"
    )
    parser.add_argument("--golden", type=Path, metavar="GOLDEN.npz", help="windows and scores of the trained model")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of the interpreter (default 1)")


def run_parity(args: argparse.Namespace, decode: Decode | None = None) -> int:
    """Check the files and return 1 when a level fails.

    Raises
    ------
    ValueError
        Neither recordings nor golden vectors, or some that do not fit.
    FileNotFoundError, ModelContractError
        A file is not there or is no model.
    """
    if not args.audio and args.golden is None:
        raise ValueError(
            "there is nothing to compare with; expected --audio RECORDING... or --golden GOLDEN.npz or both"
        )
    golden = read_golden(args.golden) if args.golden is not None else None
    documents, passed = [], True
    for path in args.files:
        classifier = Classifier(path, args.num_threads)
        print(f"{path}: comparing", file=sys.stderr)
        rate = classifier.spec.sample_rate
        recordings = [to_shorts(load_waveform(clip, rate, decode)) for clip in args.audio]
        results = parity_of_file(classifier, golden, recordings)
        passed = passed and all(result.passed for result in results)
        documents.append({"file": str(path), "results": [result.as_dict() for result in results]})
        if not args.json:
            print(f"{path}\n{format_results(results)}")
    if args.json:
        print(json.dumps({"passed": passed, "files": documents}, indent=2))
    return DONE if passed else CHECK_FAILED
