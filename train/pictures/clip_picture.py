"""A picture of a recording as a model sees it: waveform, spectrogram, mel spectrogram, windows and scores.

Axis order of spectrograms: frequency (or mel band) first, frames second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.audio.windows import cut_windows, window_starts
from edge_runtime.front_end.mel import mel_spectrogram, stft_spectrogram
from edge_runtime.front_end.mel_filters import hz_to_mel, mel_to_hz
from edge_runtime.model.classification import WindowResult
from metadata.plural import counted
from metadata.spec import FrontEnd, MelFrontEnd, StftFrontEnd
from train.pictures.plots import ACCENT, INK, save_figure

_RANGE_DB = 80.0  # from the loudest point down to black
_FLOOR = 1e-10  # power below which there is nothing to see
_MOST_COLUMNS = 2_000  # of the waveform, two points each: more than a screen has
_MOST_LABELS = 8  # drawn in colour
_COLOURS = ("#c8553d", "#1f3b57", "#4c956c", "#e0a030", "#7b5ea7", "#3fa7c4", "#a0623b", "#d77fa1")


Tile = tuple[float, float, np.ndarray]
"""Start and end in seconds, and a spectrogram (n_rows, n_frames)."""


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """What is drawn.

    Attributes
    ----------
    waveform : np.ndarray
        float32 (n_samples,) at `sample_rate`.
    sample_rate : int
        Hz.
    start_seconds : float
        Where the waveform begins in its recording.
    stft, mel : StftFrontEnd, MelFrontEnd
        Settings of the two spectrograms.
    window_length, window_hop : int
        Samples; 0 where no model is heard and there are no windows.
    labels : tuple of str
        Of the scores.
    thresholds : tuple of float
        One a label, drawn where decisions are taken by them; else empty.
    results : sequence of WindowResult
        One a window.
    """

    waveform: np.ndarray
    sample_rate: int
    start_seconds: float
    stft: StftFrontEnd
    mel: MelFrontEnd
    window_length: int = 0
    window_hop: int = 0
    labels: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()
    results: Sequence[WindowResult] = ()

    @property
    def end_seconds(self) -> float:
        """Where the waveform ends in its recording."""
        return self.start_seconds + self.waveform.size / self.sample_rate


def spectrogram_settings(front_end: FrontEnd, sample_rate: int) -> tuple[StftFrontEnd, MelFrontEnd]:
    """Return the settings of both spectrograms: the model's own as far as it has any, else the usual ones."""
    if isinstance(front_end, MelFrontEnd):
        mel = front_end
    elif isinstance(front_end, StftFrontEnd):
        mel = MelFrontEnd(
            n_fft=front_end.n_fft,
            hop_length=front_end.hop_length,
            win_length=front_end.win_length,
            pad_mode=front_end.pad_mode,
            fmax=sample_rate / 2,
            n_mels=min(128, front_end.n_fft // 4),
        )
    else:
        mel = MelFrontEnd(fmax=min(8000.0, sample_rate / 2))
    stft = StftFrontEnd(
        n_fft=mel.n_fft, hop_length=mel.hop_length, win_length=mel.win_length, power=2.0, pad_mode=mel.pad_mode
    )
    return stft, mel


def draw_hearing(hearing: Hearing, path: Path, title: str) -> None:
    """Write the picture as PNG in one step."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heights = [1.0, 1.6, 1.6, 1.2] if hearing.results else [1.0, 1.6, 1.6]
    figure = Figure(figsize=(10.0, 2.1 * sum(heights) / 1.35), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _draw_waveform(rows[0], hearing)
    _draw_spectrogram(figure, rows[1], hearing)
    _draw_mel(figure, rows[2], hearing)
    if hearing.results:
        _draw_scores(rows[3], hearing)
    for axes in rows:
        _mark_windows(axes, hearing)
    rows[0].set_xlim(hearing.start_seconds, _last_window_end(hearing))
    rows[-1].set_xlabel("seconds")
    figure.suptitle(title)
    save_figure(figure, path)


def _draw_waveform(axes: Any, hearing: Hearing) -> None:
    """The waveform, or its highest and lowest samples where there are more of them than columns."""
    step = max(1, hearing.waveform.size // _MOST_COLUMNS)
    whole = hearing.waveform[: hearing.waveform.size // step * step].reshape(-1, step)
    seconds = hearing.start_seconds + np.arange(len(whole)) * step / hearing.sample_rate
    axes.fill_between(seconds, whole.min(axis=1), whole.max(axis=1), color=INK, linewidth=0.4)
    limit = max(1e-4, 1.1 * float(np.abs(hearing.waveform).max()))
    axes.set(ylabel="waveform", ylim=(-limit, limit))
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))


def _draw_spectrogram(figure: Any, axes: Any, hearing: Hearing) -> None:
    """The power of the STFT, over kHz."""
    top = hearing.sample_rate / 2000
    tiles = _tiles(hearing, lambda samples: stft_spectrogram(samples, hearing.stft))
    _draw_tiles(figure, axes, tiles, (0.0, top), "power (dB)")
    axes.set(ylabel="STFT (kHz)", ylim=(0.0, top))


def _draw_mel(figure: Any, axes: Any, hearing: Hearing) -> None:
    """The mel bands, over their number, the ticks in Hz."""
    front_end = hearing.mel
    tiles = _tiles(hearing, lambda samples: _mel_power(samples, front_end, hearing.sample_rate))
    _draw_tiles(figure, axes, tiles, (0.0, front_end.n_mels), "mel power (dB)")
    low, high = hz_to_mel([front_end.fmin, front_end.fmax], front_end.mel_scale)
    places = np.linspace(0.0, 1.0, 6)
    hertz = mel_to_hz(low + places * (high - low), front_end.mel_scale)
    axes.set_yticks(places * front_end.n_mels, [f"{value / 1000:.1f}" for value in hertz])
    axes.set(ylabel=f"{front_end.n_mels} mels (kHz)", ylim=(0.0, front_end.n_mels))


def _mel_power(samples: np.ndarray, front_end: MelFrontEnd, sample_rate: int) -> np.ndarray:
    """The mel spectrogram as power, its logarithm undone where the model takes one."""
    mel = mel_spectrogram(samples, front_end, sample_rate)
    if front_end.log == "ln_plus":
        return np.maximum(np.exp(mel.astype(np.float64)) - front_end.log_floor, 0.0)
    return 10.0 ** mel.astype(np.float64) if front_end.log == "log10" else mel


def _tiles(hearing: Hearing, spectrogram: Callable[[np.ndarray], np.ndarray]) -> list[Tile]:
    """Start, end in seconds and spectrogram of each window, or of the whole where windows overlap or there are none.

    Each window by itself is what a model sees: what lies beyond its ends is mirrored or zero, not its neighbour.
    """
    rate, length = hearing.sample_rate, hearing.window_length
    if not length or hearing.window_hop < length:
        least = max(hearing.stft.n_fft, hearing.mel.n_fft) // 2 + 1
        samples = np.pad(hearing.waveform, (0, max(0, least - hearing.waveform.size)))
        return [(hearing.start_seconds, hearing.start_seconds + samples.size / rate, spectrogram(samples))]
    starts = hearing.start_seconds + window_starts(hearing.waveform.size, length, hearing.window_hop) / rate
    windows = cut_windows(hearing.waveform, length, hearing.window_hop)
    return [(start, start + length / rate, spectrogram(row)) for start, row in zip(starts, windows, strict=True)]


def _draw_tiles(figure: Any, axes: Any, tiles: Sequence[Tile], limits: tuple[float, float], measure: str) -> None:
    """Spectrograms side by side on one scale of colours."""
    levels = [(start, end, 10.0 * np.log10(np.maximum(power, _FLOOR))) for start, end, power in tiles]
    loudest = max(float(tile.max()) for _, _, tile in levels)
    for start, end, tile in levels:
        image = axes.imshow(
            tile,
            origin="lower",
            aspect="auto",
            extent=(start, end, *limits),
            vmin=loudest - _RANGE_DB,
            vmax=loudest,
            cmap="magma",
            interpolation="nearest",
        )
    figure.colorbar(image, ax=axes, label=measure, pad=0.01)


def _draw_scores(axes: Any, hearing: Hearing) -> None:
    """The scores of each window: as long as the window, or where windows overlap a dot at its middle."""
    scores = np.stack([result.scores for result in hearing.results])
    length = hearing.window_length / hearing.sample_rate
    starts = hearing.start_seconds + np.array([result.start_seconds for result in hearing.results])
    shown = np.sort(np.argsort(-scores.max(axis=0), kind="stable")[:_MOST_LABELS])
    for colour, place in zip(_COLOURS, shown, strict=False):
        name, values = hearing.labels[place], scores[:, place]
        if hearing.window_hop < hearing.window_length:
            axes.plot(starts + length / 2, values, "o-", color=colour, markersize=3.5, linewidth=1.2, label=name)
        else:
            axes.hlines(values, starts, starts + length, color=colour, linewidth=2.5, label=name)
        if hearing.thresholds:
            axes.axhline(hearing.thresholds[place], color=colour, linewidth=0.8, linestyle=":")
    left_out = scores.shape[1] - shown.size
    axes.set(ylabel="score", ylim=(-0.04, 1.04))
    axes.grid(axis="y", alpha=0.3)
    if left_out:
        axes.plot([], [], " ", label=f"({counted(left_out, 'more label')}, lower)")
    # Above the scores, not beside them: beside them it would push the colour bars away from their pictures.
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=5, frameon=False, fontsize=8, borderaxespad=0.1)


def _mark_windows(axes: Any, hearing: Hearing) -> None:
    """A line where each window begins; where they follow each other also where the last ends."""
    for result in hearing.results:
        axes.axvline(hearing.start_seconds + result.start_seconds, color=ACCENT, linewidth=0.8, alpha=0.8)
    if hearing.results and hearing.end_seconds < _last_window_end(hearing):
        axes.axvline(hearing.end_seconds, color="0.4", linewidth=0.8, linestyle="--")


def _last_window_end(hearing: Hearing) -> float:
    """Where the picture ends: with the recording, or with a window that zeros fill up."""
    if not hearing.results:
        return hearing.end_seconds
    last = hearing.results[-1].start_seconds + hearing.window_length / hearing.sample_rate
    return max(hearing.end_seconds, hearing.start_seconds + last)
