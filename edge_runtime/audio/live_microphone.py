"""The microphone of this machine, through sounddevice and PortAudio: an optional extra.

What `edge_runtime.phone.audio_record` imitates, this is.
"""

from __future__ import annotations

import importlib
import queue
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import numpy as np

from edge_runtime.audio.downmix import AUTO, channel_place
from edge_runtime.audio.sample_format import FloatArray, to_floats
from edge_runtime.audio.stream_channels import StreamChannels

BLOCK_SECONDS = 0.1  # from one delivery to the next
_WAITING_BLOCKS = 100  # 10 s that may wait for a model that is slow for a moment
_POLL_SECONDS = 0.2  # after which an empty block comes, so that whoever reads can look up
_SILENT_POLLS = 25  # without a single block the device is gone


class LiveMicrophone:
    """An open microphone; a context manager.

    Parameters
    ----------
    sample_rate : int
        Hz of the model's waveform; a device that lacks it is opened at its own rate.
    device : str, optional
        Number of the device or part of its name; by default the one the system chooses.
    channel : str
        Which one is used of a device that has several and no mono, see `edge_runtime.audio.stream_channels`.

    Attributes
    ----------
    sample_rate : int
        Hz that the device was opened at.
    name : str
        What it is, for people.
    num_channels : int
        That it was opened with.
    overflows : int
        How often the sound card lost samples because nobody took them.
    lost_samples : int
        Samples that came while 10 s of others waited.

    Raises
    ------
    RuntimeError
        sounddevice or PortAudio is not installed, there is no such device, or it cannot be opened; the
        text says what to do.
    """

    def __init__(self, sample_rate: int, device: str | None = None, channel: str = AUTO) -> None:
        self.overflows = self.lost_samples = 0
        self._sounddevice = _load_sounddevice()
        self._blocks: queue.Queue[bytes] = queue.Queue(_WAITING_BLOCKS)
        chosen = int(device) if device is not None and device.isdigit() else device
        try:
            found = self._sounddevice.query_devices(chosen, "input")
        except (ValueError, self._sounddevice.PortAudioError) as error:
            raise RuntimeError(self._no_device(device, error)) from error
        self.name = str(found["name"])
        self.sample_rate, self.num_channels = self._choose_format(chosen, found, sample_rate, channel)
        self._channels = StreamChannels(self.num_channels, self.sample_rate, channel)
        try:
            self._stream = self._sounddevice.RawInputStream(
                samplerate=self.sample_rate,
                blocksize=round(BLOCK_SECONDS * self.sample_rate),
                device=chosen,
                channels=self.num_channels,
                dtype="int16",
                callback=self._deliver,
            )
        except self._sounddevice.PortAudioError as error:
            raise RuntimeError(
                f"the microphone {self.name} cannot be opened: {error}; is another program using it?"
            ) from error

    def __enter__(self) -> LiveMicrophone:
        try:
            self._stream.start()
        except self._sounddevice.PortAudioError as error:
            self._stream.close()
            raise RuntimeError(f"the microphone {self.name} does not start: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def blocks(self) -> Iterator[FloatArray]:
        """Yield what the microphone delivers as mono float32 blocks; an empty one where nothing came for a while.

        Raises
        ------
        RuntimeError
            Nothing came for 5 s: the device is gone.
        """
        silent = 0
        while silent < _SILENT_POLLS:
            try:
                content = self._blocks.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                silent += 1
                yield np.zeros(0, np.float32)
                continue
            silent = 0
            shorts = np.frombuffer(content, np.int16).reshape(-1, self.num_channels)
            yield self._channels.take(to_floats(shorts))
        raise RuntimeError(
            f"the microphone {self.name} has delivered nothing for {_SILENT_POLLS * _POLL_SECONDS:g} s; "
            "was it unplugged?"
        )

    def remarks(self, ended: bool = True) -> list[str]:
        """Return the notes on the stream, each a sentence that goes on after the microphone's name."""
        return [text for text in (self._channels.remark(ended),) if text]

    def _deliver(self, samples: Any, count: int, time: Any, status: Any) -> None:
        """Take a block from PortAudio's thread: copy, count what was lost, nothing else."""
        if status.input_overflow:
            self.overflows += 1
        try:
            self._blocks.put_nowait(bytes(samples))
        except queue.Full:
            self.lost_samples += count

    def _choose_format(self, device: Any, found: Any, sample_rate: int, channel: str) -> tuple[int, int]:
        """Return rate and channels that the device takes: the model's rate, and mono if it can and no other is asked.

        A channel that was asked for must be there, so that the device is opened with as many.
        """
        own_rate, own_channels = int(found["default_samplerate"]), int(found["max_input_channels"])
        place = channel_place(channel, max(1, own_channels))
        counts = (1, min(2, own_channels)) if place is None else (place + 1, own_channels)
        candidates = [(rate, channels) for rate in (sample_rate, own_rate) for channels in counts]
        refusal: Exception | None = None
        for rate, channels in candidates:
            try:
                self._sounddevice.check_input_settings(device, channels, "int16", samplerate=rate)
                return rate, channels
            except (ValueError, self._sounddevice.PortAudioError) as error:
                refusal = error
        raise RuntimeError(
            f"the microphone {self.name} takes neither {sample_rate} nor {own_rate} Hz as 16-bit samples: {refusal}"
        )

    def _no_device(self, device: str | None, error: Exception) -> str:
        """Say that there is no such microphone, and which there are."""
        inputs = [
            f"{number} {one['name']}"
            for number, one in enumerate(self._sounddevice.query_devices())
            if one["max_input_channels"] > 0
        ]
        wanted = "no microphone was found" if device is None else f"there is no microphone {device!r}"
        known = f"--device takes one of: {'; '.join(inputs)}" if inputs else "this machine has no input device"
        return f"{wanted} ({error}); {known}. Or pipe sound in: arecord -f S16_LE -r 16000 | earproof listen MODEL -"


def _load_sounddevice() -> Any:
    """Import sounddevice, or say what is missing."""
    try:
        return importlib.import_module("sounddevice")
    except ModuleNotFoundError as error:
        raise RuntimeError(
            "the microphone needs sounddevice, which is not installed: ./setup.sh listen in earproof's repository; "
            "or pipe sound in: arecord -f S16_LE -r 16000 | earproof listen MODEL -"
        ) from error
    except OSError as error:  # sounddevice is there, the library it calls is not
        raise RuntimeError(
            f"sounddevice does not find PortAudio ({error}); Debian: apt-get install libportaudio2"
        ) from error
