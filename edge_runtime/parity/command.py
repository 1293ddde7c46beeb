"""The verb `earproof parity` for finished `.tflite` files: golden vectors, the phone's path, and bundles."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.audio.recordings import Decode, load_waveform
from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.bundle.manifest import Bundle, BundledModel, find_tampering, is_bundle, read_bundle
from edge_runtime.machine.describe import describe_machine
from edge_runtime.model.classifier import Classifier
from edge_runtime.options import check_out_file, model_files
from edge_runtime.parity.file_parity import parity_of_file
from edge_runtime.parity.golden_stream import read_golden_stream, stream_parity
from edge_runtime.parity.golden_vectors import GOLDEN_FOLDER_NAME, NUM_REPLAYED_WINDOWS, Golden, read_golden
from edge_runtime.parity.level_text import format_results, verdict_line
from edge_runtime.parity.levels import ParityResult
from edge_runtime.parity.other_machines import (
    MachineScores,
    compare_machines,
    describe_comparison,
    read_machine_scores,
    score_windows,
    write_machine_scores,
)
from metadata.atomic_file import write_atomically
from metadata.plural import counted
from metadata.safe_name import safe_part

DONE, CHECK_FAILED = 0, 1


def add_parity_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof parity`."""
    parser.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help=".tflite files, a folder that earproof build filled, or an unpacked bundle",
    )
    parser.add_argument(
        "--audio", type=Path, nargs="+", default=[], metavar="AUDIO", help="recordings for the phone path"
    )
    parser.add_argument(
        "--golden",
        type=Path,
        metavar="GOLDEN.npz",
        help="windows and scores of the trained model (default: those that the build left beside its files)",
    )
    parser.add_argument(
        "--save-scores",
        type=Path,
        metavar="SCORES.npz",
        help="write the scores of the golden windows for another machine to compare with; checks nothing else",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="SCORES.npz",
        help="compare with the scores that another machine saved; checks nothing else",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the JSON document")
    parser.add_argument("--force", action="store_true", help="overwrite the file that --out or --save-scores names")
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of the interpreter (default 1)")


def run_parity(args: argparse.Namespace, decode: Decode | None = None) -> int:
    """Check the files and return 1 when a level fails, or a bundle's file is not what its manifest says.

    Without recordings the golden windows, joined, are what the phone path is replayed on. The models of a bundle replay
    their golden streams too; of one that was tampered with, nothing is opened.

    Raises
    ------
    ValueError
        Neither recordings nor golden vectors, some that do not fit, or a folder without `.tflite` files.
    FileExistsError
        The file of --out is there and --force is not given.
    FileNotFoundError, ModelContractError
        A file is not there or is no model.
    """
    if args.out is not None:
        check_out_file(args.out, args.force)
    if args.save_scores or args.against:
        return _run_other_machine(args)
    bundles = [_check_bundle(path, args.json) for path in args.files if is_bundle(path)]
    tampered = [bundle.folder for bundle, faults in bundles if faults]  # of these nothing is opened
    streams = {bundle.folder / model.file: (bundle, model) for bundle, _ in bundles for model in bundle.models}
    documents: list[dict[str, object]] = []
    found: dict[str, list[ParityResult]] = {}
    for path in model_files([path for path in args.files if path not in tampered]):
        results, recipe = _check_file(path, streams.get(path), args, decode)
        found[str(path)] = results
        documents.append({"file": str(path), "results": [result.as_dict() for result in results]})
        if not args.json:
            print(f"{path}\n{format_results(results, recipe)}")
    passed = not tampered and all(result.passed for results in found.values() for result in results)
    verdict = verdict_line(found, len(tampered))
    manifests = [{"bundle": str(bundle.folder), "passed": not faults, "faults": faults} for bundle, faults in bundles]
    contents = {"passed": passed, "verdict": verdict, "bundles": manifests, "files": documents}
    document = json.dumps(contents, indent=2)
    if args.out is not None:
        write_atomically(args.out, document.encode("utf-8"))
    print(document if args.json else verdict)
    return DONE if passed else CHECK_FAILED


def _check_bundle(folder: Path, quiet: bool) -> tuple[Bundle, list[str]]:
    """Return a bundle and what is wrong with its files; print it where that is wanted."""
    bundle = read_bundle(folder)
    print(f"{folder}: comparing {counted(len(bundle.files), 'file')} with the manifest", file=sys.stderr)
    faults = find_tampering(bundle)
    if not quiet:
        print(_format_bundle(bundle, faults), flush=True)
    return bundle, faults


def _format_bundle(bundle: Bundle, faults: Sequence[str]) -> str:
    """Say whether a bundle's files are what its manifest says."""
    if not faults:
        return f"{bundle.folder}: all of {counted(len(bundle.files), 'file')} are what the manifest says"
    lines = "".join(f"\n  {fault}" for fault in faults)
    return (
        f"{bundle.folder}  FAIL  {counted(len(faults), 'file is', 'files are')} not what the manifest says; unpack "
        f"the bundle anew{lines}"
    )


def _check_file(
    path: Path, streams: tuple[Bundle, BundledModel] | None, args: argparse.Namespace, decode: Decode | None
) -> tuple[list[ParityResult], str]:
    """Check one file at every level for which there is something to compare it with; return its recipe too."""
    classifier = Classifier(path, args.num_threads)
    golden = _golden_for(path, classifier, args)
    print(f"{path}: comparing", file=sys.stderr)
    rate = classifier.spec.sample_rate
    recordings = [to_shorts(load_waveform(clip, rate, decode)) for clip in args.audio]
    if not recordings and golden is not None:
        recordings = [to_shorts(golden.windows[:NUM_REPLAYED_WINDOWS].reshape(-1))]
    results = parity_of_file(classifier, golden, recordings)
    results += stream_parity(classifier, read_golden_stream(*streams)) if streams else []
    return results, classifier.spec.recipe


def _run_other_machine(args: argparse.Namespace) -> int:
    """Save scores for another machine, compare with another machine's, or both; return 1 where level 5 fails."""
    if args.audio:
        raise ValueError("--save-scores and --against take golden windows, not --audio; leave one of them out")
    if args.save_scores:
        check_out_file(args.save_scores, args.force)
    if args.out and not args.against:
        raise ValueError("--save-scores alone compares nothing that --out could hold; expected --against too")
    reference = read_machine_scores(args.against) if args.against else None
    files, recipes = [], {}
    for path in model_files(args.files):
        classifier = Classifier(path, args.num_threads)
        golden = _golden_for(path, classifier, args)
        assert golden is not None  # without recordings it is there or has raised
        print(f"{path}: scoring {counted(len(golden.windows), 'window')}", file=sys.stderr)
        files.append(score_windows(path.name, classifier, golden.windows))
        recipes[path.name] = classifier.spec.recipe
    found = MachineScores(machine=describe_machine(), files=tuple(files))
    if args.save_scores:
        write_machine_scores(found, args.save_scores)
        print(f"wrote the scores of {counted(len(files), 'file')} to {args.save_scores}", file=sys.stderr)
    if reference is None:
        return DONE
    results = compare_machines(reference, found)
    passed = all(result.passed for result in results.values())
    verdict = verdict_line({file: [result] for file, result in results.items()})
    document = json.dumps({"passed": passed, "verdict": verdict, **describe_comparison(reference, found)}, indent=2)
    if args.out is not None:
        write_atomically(args.out, document.encode("utf-8"))
    if args.json:
        print(document)
    else:
        lines = [f"{file}\n{format_results([result], recipes[file])}" for file, result in results.items()]
        print("\n".join([*lines, verdict]))
    return DONE if passed else CHECK_FAILED


def _golden_for(path: Path, classifier: Classifier, args: argparse.Namespace) -> Golden | None:
    """Return the golden vectors to compare a file with: those asked for, else those beside it."""
    beside = path.parent / GOLDEN_FOLDER_NAME / f"{safe_part(classifier.spec.name)}.npz"
    chosen = args.golden or (beside if beside.is_file() else None)
    if chosen is None and not args.audio:
        raise ValueError(
            f"there is nothing to compare {path} with ({beside} is not there); "
            "expected --audio RECORDING... or --golden GOLDEN.npz or both"
        )
    return None if chosen is None else read_golden(chosen)
