"""The verb `earproof backbone`: list, add and get networks to begin a training with."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

DONE = 0


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="{list,add,get}")
    listing = actions.add_parser("list", help="say which backbones are on this machine, and which can be had")
    listing.add_argument("--json", action="store_true", help="print one JSON document")
    adding = actions.add_parser("add", help="take a file that you have: a YAMNet, another Keras model, or a .tflite")
    adding.add_argument("file", type=Path, metavar="FILE", help="it is copied; or the folder of a finished training")
    adding.add_argument("--name", metavar="NAME", help="what it is called from now on (a known file has a name)")
    adding.add_argument("--licence", metavar="TEXT", help="of the file; stands in what is trained on it")
    adding.add_argument("--source", metavar="TEXT", help="who made it, and from what")
    others = adding.add_argument_group("another network than YAMNet")
    others.add_argument("--embedding", metavar="NAME", help="the layer, or the tensor, whose values are its embedding")
    others.add_argument("--sample-rate", type=int, metavar="HZ", help="that it was trained on, where it does not say")
    others.add_argument(
        "--front-end",
        type=Path,
        metavar="SPEC.json",
        help="of a log mel input: how it is made (docs/how-to/backbone.md)",
    )
    adding.add_argument(
        "--log-offset", type=float, metavar="X", help="of a YAMNet: added before the logarithm (default 0.001)"
    )
    adding.add_argument("--force", action="store_true", help="replace another backbone of that name")
    getting = actions.add_parser("get", help="download a known backbone, checked by its SHA-256")
    getting.add_argument("name", metavar="NAME", help="as list shows it")


def run(verb: str, args: argparse.Namespace) -> int:
    """Do one action; return the exit code."""
    {"list": _list, "add": _add, "get": _get}[args.action](args)
    return DONE


def _list(args: argparse.Namespace) -> None:
    """Print what is here and what can be had."""
    from train.backbones.installed import backbone_folder, installed_backbones
    from train.backbones.known import KNOWN

    here = installed_backbones()
    names = {one.name for one in here}
    rest = [one for one in KNOWN if one.name not in names]
    if args.json:
        found = {"folder": str(backbone_folder()), "here": [one.as_dict() for one in here]}
        print(json.dumps({**found, "to_get": [asdict(one) for one in rest]}, indent=2))
        return
    print(f"on this machine, in {backbone_folder()}:" if here else f"none on this machine ({backbone_folder()})")
    for one in here:
        print(f"  {one.name}: {one.licence or 'licence not said'}; {one.source or 'source not said'}")
        print(f"    {one.described}")
    for known in rest:
        print(
            f"to get: {known.name}, {known.num_bytes / 1000:,.0f} kB, {known.licence}; {known.help}\n"
            f"  earproof backbone get {known.name}"
        )


def _add(args: argparse.Namespace) -> None:
    """Take a file."""
    from train.backbones.installed import add_backbone
    from train.backbones.known import known_by_digest
    from train.backbones.named_embedding import Asked
    from train.progress import note

    asked = Asked(args.embedding, args.sample_rate, args.front_end, args.log_offset)
    added = add_backbone(args.file, args.name, args.licence, args.source, asked, args.force, note)
    if known_by_digest(added.sha256) is None:
        note(
            f"{args.file} is none of the known files: licence {added.licence or 'not said'}, source "
            f"{added.source or 'not said'}; --licence, --source and --force change that"
        )
    note(added.described)
    _tell(added.name)


def _get(args: argparse.Namespace) -> None:
    """Download a known backbone and take it."""
    from train.backbones.download import download
    from train.backbones.installed import add_backbone, backbone_folder, find_backbone, installed_backbones
    from train.backbones.known import known_by_name
    from train.progress import note

    if args.name in {one.name for one in installed_backbones()}:
        note(f"{args.name} is on this machine already: {find_backbone(args.name).path}")
        return
    known = known_by_name(args.name)
    if known is None:
        find_backbone(args.name)  # says which there are
        return
    folder = backbone_folder()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / known.file_name
    note(f"downloading {known.address}, {known.num_bytes / 1000:,.0f} kB, {known.licence}: {known.source}")
    try:
        download(known.address, target, known.num_bytes, known.sha256)
    except OSError as error:
        raise OSError(
            f"{error}. Without a connection: fetch that address elsewhere ({known.num_bytes:,} bytes, SHA-256 "
            f"{known.sha256}), bring the file here, and run earproof backbone add {known.file_name}"
        ) from error
    add_backbone(target)
    target.unlink()
    _tell(args.name)


def _tell(name: str) -> None:
    """Say what can be done with it."""
    print(f"{name} is ready: earproof train transfer DATA --backbone {name} --out DIR")
