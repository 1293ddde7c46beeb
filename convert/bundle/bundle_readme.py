"""The README of a bundle: three commands, and what the files are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from edge_runtime.bundle.manifest import BundledModel
from metadata.origin import BackboneOrigin

_TEXT = """# {title}

Sound classifiers for a device, made by earproof {version}, with what it takes to check and time them there. On the
device, in this folder (Linux with Python 3.10 to 3.13; 64-bit ARM or x86-64):

```
python3 doctor.py
python3 -m venv env && env/bin/pip install ./{wheel}
env/bin/earproof doctor && env/bin/earproof parity . && env/bin/earproof bench *.tflite --audio {stream}
```

The first says whether this machine can run the models, and what to do where it cannot. The second fetches NumPy and
ai-edge-litert. The third compares every file with `manifest.json`, replays the golden streams, and measures; `parity`
exits with 1 where a score or a decision is not what it was on {machine}.

Without network there, fetch the wheels elsewhere, with the Python and processor of the device, and add `--no-index
--find-links wheels` to the second command:

```
pip download --only-binary :all: --python-version 3.11 --platform manylinux_2_27_aarch64 \\
  --platform manylinux2014_aarch64 -d wheels "{runtime}" flatbuffers numpy
```

With only tflite-runtime 2.14 at hand (Python 3.11 at most), install it with flatbuffers and `"numpy<2"`, then this
wheel with `--no-deps`.

| file | model | recipe | golden stream | expected at each tick |
| --- | --- | --- | --- | --- |
{rows}

- `golden/*.wav`: a microphone stream, 16-bit mono. The app reads it every 500 ms into a ring buffer as long as the
  model's input, zeros at first, samples divided by 32768.
- `golden/*.ticks.npz`: `times_seconds` (n_ticks,) and `scores` float32 (n_ticks, n_labels) that the file gave at each
  tick on {machine}.
- `golden/*.spectrograms.npz`: for files that take a spectrogram, `spectrograms` float32 (24 ticks, n_bands, n_frames),
  what the app must feed at the first ticks.
- `golden/MODEL.npz`: the scores of the trained model, before any conversion, for the windows that the stream is made
  of, one after another.
- `{wheel}`: the part of earproof that runs on a device; `doctor.py` needs nothing but Python.
- `manifest.json`: size and SHA-256 of every file.
"""


def bundle_readme(
    title: str,
    version: str,
    wheel: str,
    machine: Mapping[str, str],
    models: Sequence[BundledModel],
    origins: Mapping[str, BackboneOrigin] = MappingProxyType({}),
) -> bytes:
    """Return README.md of a bundle.

    Parameters
    ----------
    title : str
        Of the bundle: its folder's name.
    version : str
        Of earproof.
    wheel : str
        File name.
    machine : dict
        Where the expected scores were computed: the manifest's `made_on`.
    models : sequence of BundledModel
    origins : mapping of str to BackboneOrigin
        By file, of those that begin with a backbone.
    """
    rows = "\n".join(
        f"| {model.file} | {model.model} | {model.recipe} | {model.stream} | {model.expected} |" for model in models
    )
    text = _TEXT.format(
        title=title,
        version=version,
        wheel=wheel,
        machine=f"{machine['cpu']} with {machine['runtime']}",
        runtime=machine["runtime"].replace(" ", "=="),
        stream=models[0].stream,
        rows=rows,
    )
    if origins:
        text += "\n## Backbones\n\n" + "".join(f"- `{file}` {origin.clause}.\n" for file, origin in origins.items())
    return text.encode()
