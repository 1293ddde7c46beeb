"""The windows that a trained model gets most wrong, to hear and to see, from the golden vectors of a run."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

from convert.html_report.page_parts import Block, Missing, PlayedWindow, PlayedWindows, Text
from convert.html_report.run_record import RunRecord, TrainingRecord
from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.audio.wav_bytes import wav_bytes
from edge_runtime.front_end.mel import mel_spectrogram
from edge_runtime.parity.golden_vectors import Golden
from metadata.plural import counted
from metadata.spec import MelFrontEnd

MOST_WINDOWS = 8
MOST_AUDIO_BYTES = 1_000_000  # of WAV in a page, which a data URI makes a third longer
_RANGE_DB = 70.0  # from the loudest point down to black
_PIXELS = 2  # of a picture, a point of the spectrogram
_NO_VERSION: dict[Any, Any] = {"Software": None}  # equal pictures of other versions are equal bytes
_FLOOR = 1e-10  # power below which there is nothing to see
_THRESHOLD = 0.5  # of a label where the training's folder says none


def mistake_blocks(run: RunRecord, most_bytes: int = MOST_AUDIO_BYTES) -> list[Block]:
    """Return the worst mistakes of the model that the verdict is about, to play, and what is left out.

    Parameters
    ----------
    run : RunRecord
    most_bytes : int
        Of audio in all.
    """
    model = run.judged_model
    golden, training = run.golden.get(model), run.trainings[model]
    if golden is None or golden.truth is None:
        why = (
            "the folder golden of the run holds no windows of it"
            if golden is None
            else "its golden vectors hold no truth"
        )
        return [Missing(what=f"the worst mistakes of {model}", why=why)]
    if training.spec is None:
        why = (
            "its labels and sample rate stand in spec.json and in the model files, none of which is in the run's folder"
        )
        return [Missing(what=f"the worst mistakes of {model}", why=why)]
    order, wrong = _worst_first(golden, training)
    heard = f"{counted(len(golden.windows), 'test window')} in the golden vectors of {model}"
    if not wrong:
        return [Text(lines=(f"No mistake on the {heard}, as the trained model scores them.",))]
    fits = max(1, most_bytes // (2 * golden.windows.shape[1]))
    shown = order[: min(wrong, MOST_WINDOWS, fits)]
    lines = [f"{counted(wrong, 'mistake')} on the {heard}, as the trained model scores them; the worst come first."]
    if wrong > len(shown):
        lines.append(f"{counted(wrong - len(shown), 'more mistake')} left out, so that the page stays small.")
    if others := [other for other in run.models if other != model]:
        lines.append(f"Not shown: the mistakes of {', '.join(others)}, which the verdict is not about.")
    windows = tuple(_played(golden, training, int(place)) for place in shown)
    return [Text(lines=tuple(lines)), PlayedWindows(windows=windows)]


def is_right(golden: Golden, thresholds: np.ndarray) -> np.ndarray:
    """Return whether each window was decided as its truth says, bool (n_windows,).

    Parameters
    ----------
    golden : Golden
        With a truth: the number of a label a window, or whether it has each label.
    thresholds : np.ndarray
        Float (n_labels,), of labels that are told for themselves.
    """
    return _badness(golden, thresholds) <= 0.0


def thresholds_of(training: TrainingRecord, num_labels: int) -> np.ndarray:
    """Return the thresholds of a training's labels, float (n_labels,)."""
    said = (training.spec or {}).get("thresholds") or [_THRESHOLD] * num_labels
    return np.asarray(said, np.float64)


def _worst_first(golden: Golden, training: TrainingRecord) -> tuple[np.ndarray, int]:
    """The places of the windows by how wrong they are, and how many are."""
    badness = _badness(golden, thresholds_of(training, golden.scores.shape[1]))
    return np.argsort(-badness, kind="stable"), int((badness > 0.0).sum())


def _badness(golden: Golden, thresholds: np.ndarray) -> np.ndarray:
    """How far each window's scores are on the wrong side, positive where the decision is wrong."""
    truth = np.asarray(golden.truth)
    scores = golden.scores[: len(truth)].astype(np.float64)
    if truth.ndim == 1:
        rows = np.arange(len(truth))
        decided = scores.argmax(axis=1)  # the first of equal scores, as the runtime decides
        gap = scores[rows, decided] - scores[rows, truth]
        return np.where(decided == truth, 0.0, np.maximum(gap, np.finfo(float).tiny))
    wrong = (scores >= thresholds) != truth
    gaps = np.maximum(np.abs(scores - thresholds), np.finfo(float).tiny)
    return np.asarray(np.where(wrong, gaps, 0.0).max(axis=1))


def _played(golden: Golden, training: TrainingRecord, place: int) -> PlayedWindow:
    """One window with what it is and what was said of it."""
    spec = training.spec or {}
    labels, rate = spec["labels"], int(spec["sample_rate"])
    scores, truth = golden.scores[place], np.asarray(golden.truth)[place]
    if truth.ndim == 0:
        right, decided = labels[int(truth)], labels[int(scores.argmax())]
    else:
        told = scores >= thresholds_of(training, len(labels))
        right, decided = (
            " + ".join(np.asarray(labels)[which]) or "none of them" for which in (truth.astype(bool), told)
        )
    ranked = np.argsort(-scores, kind="stable")[:4]
    facts = [("scores", ", ".join(f"{labels[one]} {scores[one]:.2f}" for one in ranked))]
    if golden.groups is not None:
        facts += _origin(np.atleast_1d(golden.groups[place]).tolist(), right, training)
    window = golden.windows[place]
    seconds = window.size / rate
    return PlayedWindow(
        title=f"{right}, taken for {decided}",
        facts=tuple(facts),
        audio=_data_uri("audio/wav", wav_bytes(to_shorts(window), rate)),
        picture=_data_uri("image/png", _picture(window, rate)),
        description=f"Mel spectrogram of {seconds:g} s of {right}, 0 to {rate / 2000:g} kHz from bottom to top",
    )


def _origin(groups: list[str], label: str, training: TrainingRecord) -> list[tuple[str, str]]:
    """The group, and the recording where the group has but one with the label."""
    facts = [("group", ", ".join(group for group in groups if group))]
    rows = [row for row in training.split or () if row["group"] in groups and row["labels"] == label]
    return facts + ([("recording", "/".join(rows[0]["path"].split("/")[-2:]))] if len(rows) == 1 else [])


def _picture(window: np.ndarray, rate: int) -> bytes:
    """The mel spectrogram of a window as PNG, low frequencies at the bottom."""
    from matplotlib.image import imsave

    front_end = MelFrontEnd(n_fft=1024, win_length=1024, hop_length=256, n_mels=64, fmax=rate / 2)
    decibels = 10.0 * np.log10(np.maximum(mel_spectrogram(window, front_end, rate), _FLOOR))
    picture = io.BytesIO()
    enlarged = np.kron(decibels, np.ones((_PIXELS, _PIXELS)))
    top = float(decibels.max())
    imsave(
        picture,
        enlarged,
        origin="lower",
        cmap="magma",
        vmin=top - _RANGE_DB,
        vmax=top,
        format="png",
        metadata=_NO_VERSION,
    )
    return picture.getvalue()


def _data_uri(kind: str, content: bytes) -> str:
    """Content as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
