"""What a network takes at once: a stretch of samples, or of a log mel spectrogram in one of its axis orders."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metadata import MelFrontEnd, WaveformFrontEnd
from metadata.spec import frame_padding, read_front_end

Shape = tuple[int, ...]
MOST_HZ = 384_000


@dataclass(frozen=True, kw_only=True)
class PatchInput:
    """How samples become the input of a network.

    Attributes
    ----------
    sample_rate : int
        Hz.
    front_end : MelFrontEnd or WaveformFrontEnd
    patch_length : int
        Samples of one patch.
    shape : tuple of int
        Of the network's input, without the batch.
    bands_first : bool
        Of a spectrogram: mel bands come before frames.
    log_is_inside : bool
        The network takes the logarithm itself.
    """

    sample_rate: int
    front_end: MelFrontEnd | WaveformFrontEnd
    patch_length: int
    shape: Shape
    bands_first: bool = False
    log_is_inside: bool = False

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PatchInput:
        """Return what `dataclasses.asdict` made a dict of."""
        front_end = read_front_end(values["front_end"])
        return cls(**{**values, "front_end": front_end, "shape": tuple(values["shape"])})

    def laid_out(self, patches: Any) -> Any:
        """Return patches, (batch, frames, bands, 1) or (batch, samples, 1) of Keras, in the network's axis order."""
        from keras import layers

        if self.bands_first:
            patches = layers.Permute((2, 1, 3), name="patch_bands_first")(patches)
        if tuple(patches.shape[1:]) != self.shape:
            patches = layers.Reshape(self.shape, name="patch_shape")(patches)
        return patches

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed of the axes."""
        sizes = _sizes(self.shape)
        if self.log_is_inside or len(sizes) != 2 or sizes[0] != sizes[1]:
            return ()
        return (f"both axes of its input have {sizes[0]} values: frames are taken to come first, then mel bands",)

    @property
    def patch_shape(self) -> Shape:
        """Of one patch as it is cut: (frames, bands, 1) or (samples, 1)."""
        if isinstance(self.front_end, WaveformFrontEnd):
            return self.patch_length, 1
        sizes = _sizes(self.shape)
        return (*(sizes[::-1] if self.bands_first else sizes), 1)


def patch_input(
    shape: tuple[int | None, ...],
    sample_rate: int,
    front_end: MelFrontEnd | None,
    patch_length: int | None,
    is_ours: bool = False,
) -> PatchInput:
    """Return what a network with an input of this shape takes.

    Parameters
    ----------
    shape : tuple of int
        Without the batch.
    sample_rate : int
    front_end : MelFrontEnd, optional
        None: the network takes samples.
    patch_length : int, optional
        What is known of it; else the fewest samples that have the frames of the input.
    is_ours : bool
        A spectrogram is laid out as in our models: mel bands first, before the logarithm.

    Raises
    ------
    ValueError
        A shape that is no row of samples, or does not fit the front end.
    """
    text = f"({', '.join(map(str, shape))})"
    sizes = _sizes(shape)
    if None in sizes:
        raise ValueError(f"its input has the open shape {text}; expected fixed sizes: save it with a fixed input")
    if front_end is None:
        if len(sizes) != 1:
            raise ValueError(
                f"its input has the shape {text}, which is no row of samples; for a log mel spectrogram say how it is "
                "computed: --front-end SPEC.json"
            )
        return PatchInput(
            sample_rate=sample_rate, front_end=WaveformFrontEnd(), patch_length=sizes[0], shape=_fixed(shape)
        )
    if len(sizes) != 2 or front_end.n_mels not in sizes:
        raise ValueError(
            f"its input has the shape {text}; the front end has {front_end.n_mels} mel bands, so expected "
            f"(frames, {front_end.n_mels}) or ({front_end.n_mels}, frames), with or without a 1 behind"
        )
    if front_end.fmax > sample_rate / 2:
        raise ValueError(
            f"the front end reaches up to {front_end.fmax:g} Hz; expected at most half the sample rate of "
            f"{sample_rate} Hz"
        )
    bands_first = is_ours or sizes[1] != front_end.n_mels
    frames = sizes[1] if bands_first else sizes[0]
    reach = front_end.n_fft - sum(frame_padding(front_end))
    return PatchInput(
        sample_rate=sample_rate,
        front_end=dataclasses.replace(front_end, inside_model=True),
        patch_length=patch_length or max(1, (frames - 1) * front_end.hop_length + reach),
        shape=_fixed(shape),
        bands_first=bands_first,
        log_is_inside=is_ours,
    )


def read_front_end_file(path: Path) -> tuple[MelFrontEnd, int | None]:
    """Return the front end that a JSON file states, and the sample rate where it states that too.

    Parameters
    ----------
    path : Path
        The fields of `metadata.MelFrontEnd`; or a whole spec.json or model_spec.json.

    Raises
    ------
    FileNotFoundError, ValueError
        No file, no JSON, a field that is missing, unknown or out of range, or no mel front end.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; expected a JSON with the fields of a mel front end")
    try:
        values = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    rate = values.get("sample_rate") if isinstance(values, dict) else None
    if isinstance(values, dict):
        values = values.get("front_end", {key: value for key, value in values.items() if key != "sample_rate"})
    if isinstance(values, dict):
        values = {"kind": "mel", "inside_model": True, **values}
    try:
        front_end = read_front_end(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if not isinstance(front_end, MelFrontEnd):
        raise ValueError(f"{path} has a front end of the kind {front_end.kind}; expected mel")
    return front_end, check_rate(rate, path) if rate is not None else None


def check_rate(rate: Any, where: Any) -> int:
    """Return a sample rate that is one.

    Raises
    ------
    ValueError
        It is none.
    """
    if not isinstance(rate, int) or isinstance(rate, bool) or not 1 <= rate <= MOST_HZ:
        raise ValueError(f"the sample rate of {where} is {rate!r}; expected Hz, 1 to {MOST_HZ}")
    return rate


def _sizes(shape: tuple[int | None, ...]) -> tuple[Any, ...]:
    """A shape without the 1 of its channels."""
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape


def _fixed(shape: tuple[int | None, ...]) -> Shape:
    """A shape whose sizes are all known."""
    return tuple(int(size or 0) for size in shape)
