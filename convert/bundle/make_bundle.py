"""Making a bundle: the best file of a build, or others, with golden streams, the device part and a manifest.

The same build on the same machine gives the same bytes.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import edge_runtime.machine.doctor
from convert.bundle.bundle_files import choose_bundle_files
from convert.bundle.bundle_readme import bundle_readme
from convert.bundle.device_wheel import device_wheel
from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.audio.wav_bytes import wav_bytes
from edge_runtime.bundle.archive import pack_archive
from edge_runtime.bundle.manifest import MANIFEST_NAME, Bundle, BundledModel, describe_content, format_manifest
from edge_runtime.machine.describe import describe_machine
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.file_parity import check_golden
from edge_runtime.parity.golden_stream import expected_content, record_stream, spectrograms_content
from edge_runtime.parity.golden_vectors import GOLDEN_FOLDER_NAME, NUM_REPLAYED_WINDOWS, golden_content, read_golden
from metadata.origin import BackboneOrigin, backbone_origin
from metadata.packing.packed_model import read_spec
from metadata.plural import counted
from metadata.safe_name import safe_part

_MADE_ON = ("cpu", "architecture", "runtime", "numpy", "python")  # of the machine: what decides the scores
MAX_STREAM_BYTES = 3_200_000  # of 16-bit samples: 50 windows of 2 s; gzip takes a third off, and 6 MB is the goal
MAX_BUNDLE_BYTES = 6_000_000
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class BundleArchive:
    """A bundle ready to be written.

    Attributes
    ----------
    folder_name : str
        That it unpacks to.
    content : bytes
        Of the `.tar.gz`.
    bundle : Bundle
        What is in it.
    """

    folder_name: str
    content: bytes
    bundle: Bundle


def make_bundle(
    run: Path,
    *,
    files: Sequence[str] = (),
    recipes: Sequence[str] = (),
    include_failed: bool = False,
    all_files: bool = False,
    folder_name: str = "",
    tell: Tell = lambda _: None,
) -> BundleArchive:
    """Return a bundle of what `earproof build` or `earproof convert` left in a folder.

    Parameters
    ----------
    run : Path
    files : sequence of str
        Names of files in it to take, whether they passed or not. Without any, and with none of the options below, the
        best one by the report's verdict; all that passed where it names none.
    recipes : sequence of str
        Take all files of these recipes that passed.
    include_failed : bool
        Take all files, those that did not pass too.
    all_files : bool
        Take all files that passed.
    folder_name : str, optional
        What it unpacks to; RUN-bundle by default.
    tell : callable
        Called with notes for people: of each file that is left out the reason.

    Raises
    ------
    FileNotFoundError
        The folder, a file, its golden vectors or the report are not there.
    ValueError
        Nothing left to take, a best file that did not pass as it lies there now, a recipe that is none, or
        golden vectors of another model.
    ModelContractError
        A file that is no model.
    """
    paths = choose_bundle_files(run, files, recipes, include_failed, all_files, tell)
    contents: dict[str, bytes] = {}
    models = [_add_model(path, contents, tell) for path in paths]
    wheel, contents_of_wheel = device_wheel()
    contents[wheel] = contents_of_wheel
    contents["doctor.py"] = Path(str(edge_runtime.machine.doctor.__file__)).read_bytes()
    made_on = {name: str(value) for name, value in describe_machine().items() if name in _MADE_ON}
    version = importlib.metadata.version("earproof")
    folder_name = folder_name or f"{run.resolve().name}-bundle"
    contents["README.md"] = bundle_readme(folder_name, version, wheel, made_on, models, _origins(contents))
    records = {name: describe_content(content) for name, content in contents.items()}
    bundle = Bundle(folder=Path(folder_name), models=tuple(models), files=records, made_on=made_on)
    contents[MANIFEST_NAME] = format_manifest(bundle, version)
    packed = pack_archive(folder_name, contents)
    if len(packed) > MAX_BUNDLE_BYTES:
        tell(f"the bundle has {len(packed) / 1e6:.1f} MB; --file NAME with one small file makes one below 6 MB")
    return BundleArchive(folder_name=folder_name, content=packed, bundle=bundle)


def _add_model(path: Path, contents: dict[str, bytes], tell: Tell) -> BundledModel:
    """Add a model file and its golden vectors; return its entry in the manifest."""
    tell(f"{path.name}: recording what it says at each tick")
    classifier = Classifier(path)
    spec = classifier.spec
    golden_name = f"{GOLDEN_FOLDER_NAME}/{safe_part(spec.name)}.npz"
    golden_path = path.parent / golden_name
    if not golden_path.is_file():
        raise FileNotFoundError(f"{golden_path} is not there; expected the golden vectors that earproof build leaves")
    golden = read_golden(golden_path)
    check_golden(classifier, golden)
    taken = golden.first(_num_windows(spec.window_length))
    if len(taken.windows) < len(golden.windows):
        tell(
            f"{path.name}: {len(taken.windows)} of {counted(len(golden.windows), 'golden window')} go along, to keep "
            f"the bundle small; with their rotated copies they are {taken.num_compared} in all"
        )
    stream = record_stream(classifier, to_shorts(taken.windows.reshape(-1)), spec.sample_rate)
    stream_name = _put(
        contents,
        f"{GOLDEN_FOLDER_NAME}/{safe_part(spec.name)}.wav",
        wav_bytes(stream.recording, spec.sample_rate),
        True,
    )
    names = {
        "golden": _put(contents, golden_name, golden_content(taken, Path(stream_name).name)),
        "stream": stream_name,
        "expected": _put(contents, f"{GOLDEN_FOLDER_NAME}/{path.stem}.ticks.npz", expected_content(stream)),
    }
    if stream.spectrograms is not None:
        name = f"{GOLDEN_FOLDER_NAME}/{safe_part(spec.name)}.spectrograms.npz"
        names["spectrograms"] = _put(contents, name, spectrograms_content(stream))
    _put(contents, path.name, classifier.model)
    return BundledModel(file=path.name, model=spec.name, recipe=spec.recipe, **names)


def _origins(contents: Mapping[str, bytes]) -> dict[str, BackboneOrigin]:
    """Return what the model files among these began with, by name, those that began with a backbone."""
    specs = {name: read_spec(content) for name, content in contents.items() if name.endswith(".tflite")}
    return {name: origin for name, spec in specs.items() if spec and (origin := backbone_origin(spec))}


def _num_windows(window_length: int) -> int:
    """Return how many golden windows go along at most: what has room, and in any case those that are replayed."""
    return max(NUM_REPLAYED_WINDOWS, MAX_STREAM_BYTES // (2 * window_length))


def _put(contents: dict[str, bytes], name: str, content: bytes, shared: bool = False) -> str:
    """Add a file; where it may be shared, find one that holds the same instead; return its name."""
    same = [other for other, there in contents.items() if there == content] if shared else []
    if same:
        return same[0]
    if contents.get(name, content) != content:
        raise ValueError(f"two files of the bundle would be {name}; bundle the models one by one with --file")
    contents[name] = content
    return name
