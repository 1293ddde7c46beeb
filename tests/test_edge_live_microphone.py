"""The microphone against a sounddevice made by code, and against the real one on ALSA's null device."""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest
from test_edge_command import write_wav
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.audio import live_microphone
from edge_runtime.audio.live_microphone import LiveMicrophone
from edge_runtime.audio.wav_file import read_wav
from metadata.packing.packed_model import pack_model

REPOSITORY = Path(__file__).resolve().parents[1]


class FakeSoundDevice(types.ModuleType):
    """What of sounddevice is used: one microphone that delivers what a test tells it to."""

    class PortAudioError(Exception):
        pass

    def __init__(self, rates=(16_000,), channels=(1,), devices=1):
        super().__init__("sounddevice")
        self.rates, self.channels = rates, channels
        self.devices = [
            {"name": f"USB {n}", "max_input_channels": 2, "default_samplerate": 48_000.0} for n in range(devices)
        ]
        self.devices.append({"name": "loudspeaker", "max_input_channels": 0, "default_samplerate": 48_000.0})
        self.opened = self.stream = None

    def query_devices(self, device=None, kind=None):
        if kind is None:
            return self.devices
        inputs = [one for one in self.devices if one["max_input_channels"]]
        if device is not None:
            inputs = [one for number, one in enumerate(self.devices) if device in (number, one["name"])]
        if not inputs:
            raise ValueError("No input device matching")
        return inputs[0]

    def check_input_settings(self, device, channels, dtype, samplerate):
        if samplerate not in self.rates or channels not in self.channels:
            raise self.PortAudioError("Invalid sample rate")

    def RawInputStream(self, **settings):
        self.opened = settings
        self.stream = types.SimpleNamespace(start=lambda: None, close=lambda: setattr(self, "closed", True))
        return self.stream

    def deliver(self, shorts, overflow=False):
        status = types.SimpleNamespace(input_overflow=overflow)
        self.opened["callback"](memoryview(shorts.tobytes()), len(shorts), None, status)


@pytest.fixture
def plug(monkeypatch):
    def plug_in(**settings):
        fake = FakeSoundDevice(**settings)
        monkeypatch.setitem(sys.modules, "sounddevice", fake)
        return fake

    return plug_in


def take(microphone, count):
    blocks = microphone.blocks()
    return [next(blocks) for _ in range(count)]


def test_sixteen_bits_come_out_as_they_went_in(plug):
    fake = plug()
    shorts = np.array([-32768, 0, 1, 32767], np.int16)
    with LiveMicrophone(16_000) as microphone:
        fake.deliver(shorts)
        (block,) = take(microphone, 1)

    assert block.dtype == np.float32
    assert np.array_equal(block * 32768, shorts)
    assert (fake.opened["samplerate"], fake.opened["channels"], fake.opened["dtype"]) == (16_000, 1, "int16")
    assert (fake.opened["blocksize"], fake.closed) == (1600, True)


def test_a_device_without_the_models_rate_is_opened_at_its_own(plug):
    fake = plug(rates=(48_000,))

    assert LiveMicrophone(16_000).sample_rate == 48_000
    assert fake.opened["samplerate"] == 48_000


def test_of_a_device_that_only_has_stereo_the_channels_are_averaged(plug):
    fake = plug(channels=(2,))
    with LiveMicrophone(16_000) as microphone:
        fake.deliver(np.array([[100, 300], [-32768, 32767]], np.int16))
        (block,) = take(microphone, 1)

    assert (block * 32768).tolist() == [200.0, -0.5]


def test_overflows_of_the_card_are_counted(plug):
    fake = plug()
    microphone = LiveMicrophone(16_000)
    for overflow in (False, True, True):
        fake.deliver(np.zeros(1600, np.int16), overflow)

    assert (microphone.overflows, microphone.lost_samples) == (2, 0)


def test_what_comes_while_ten_seconds_wait_is_lost_and_counted(plug):
    fake = plug()
    microphone = LiveMicrophone(16_000)
    for number in range(103):
        fake.deliver(np.full(1600, number, np.int16))

    assert microphone.lost_samples == 3 * 1600
    assert [round(float(block[0]) * 32768) for block in take(microphone, 100)] == list(range(100))


def test_while_nothing_comes_there_are_empty_blocks_and_in_the_end_an_error(plug, monkeypatch):
    monkeypatch.setattr(live_microphone, "_POLL_SECONDS", 0.001)
    plug()
    blocks = LiveMicrophone(16_000).blocks()
    sizes = [next(blocks).size for _ in range(25)]

    assert sizes == [0] * 25
    with pytest.raises(RuntimeError, match=r"USB 0 has delivered nothing .* unplugged"):
        next(blocks)


def test_a_device_is_chosen_by_number(plug):
    plug(devices=2)

    assert LiveMicrophone(16_000, "1").name == "USB 1"


@pytest.mark.parametrize(
    ("settings", "device", "message"),
    [
        ({"devices": 0}, None, "no microphone was found .* has no input device"),
        ({}, "headset", "no microphone 'headset' .* one of: 0 USB 0[.]"),
        ({"rates": (8000,)}, None, "takes neither 16000 nor 48000 Hz"),
    ],
)
def test_a_microphone_that_is_not_there_or_does_not_fit_is_named(plug, settings, device, message):
    plug(**settings)
    with pytest.raises(RuntimeError, match=message):
        LiveMicrophone(16_000, device)


def test_a_microphone_that_another_program_holds_is_named(plug):
    fake = plug()

    def refuse(**_):
        raise fake.PortAudioError("Device unavailable")

    fake.RawInputStream = refuse
    with pytest.raises(RuntimeError, match="USB 0 cannot be opened: Device unavailable"):
        LiveMicrophone(16_000)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ModuleNotFoundError("sounddevice"), r"setup\.sh listen"),
        (OSError("PortAudio library not found"), "apt-get install libportaudio2"),
    ],
)
def test_what_is_not_installed_is_named(monkeypatch, error, message):
    def refuse(name):
        raise error

    monkeypatch.setattr(live_microphone.importlib, "import_module", refuse)
    with pytest.raises(RuntimeError, match=message):
        LiveMicrophone(16_000)


@pytest.fixture
def alsa_microphone(tmp_path):
    """A microphone of ALSA that hears what is written into a FIFO: real PortAudio, real ALSA, no hardware."""
    sounddevice = pytest.importorskip(
        "sounddevice", reason="sounddevice comes with the listen extra", exc_type=ImportError
    )
    fifo, config = tmp_path / "microphone", tmp_path / "asound.conf"
    os.mkfifo(fifo)
    config.write_text(
        f'pcm.!default {{ type file; slave.pcm nothing; file /dev/null; infile "{fifo}"; format raw }}\n'
        "pcm.nothing { type null }\nctl.!default { type null }\n"
    )
    if "ALSA" not in {api["name"] for api in sounddevice.query_hostapis()}:
        pytest.skip("this PortAudio has no ALSA")
    return fifo, config


@contextlib.contextmanager
def fed(fifo, shorts):
    """Write a recording about ten times as fast as it sounds, so that no queue overflows, then zeros until the end."""
    # Open for reading too: PortAudio opens and closes the device several times before it listens.
    descriptor, ended = os.open(fifo, os.O_RDWR | os.O_NONBLOCK), threading.Event()

    def write():
        pieces = itertools.chain(np.split(shorts, range(1600, shorts.size, 1600)), itertools.repeat(shorts[:1600] * 0))
        for piece in pieces:
            while not ended.wait(0.01):
                with contextlib.suppress(BlockingIOError):
                    os.write(descriptor, piece.tobytes())  # up to 4096 bytes go in as a whole or not at all
                    break
            if ended.is_set():
                return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        os.close(descriptor)


def test_the_real_sounddevice_hears_on_an_alsa_device_what_the_file_holds(alsa_microphone, tmp_path):
    fifo, config = alsa_microphone
    clip = write_wav(tmp_path / "clip.wav", 16_000 * 12)
    model = tmp_path / "tiny.tflite"
    model.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    shorts = (read_wav(clip)[0] * 32768).astype(np.int16)
    command = [sys.executable, "-m", "earproof", "listen", "--on", "0", "--min-duration", "0", str(model)]
    expected = subprocess.run([*command, str(clip)], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(config)}
    with fed(fifo, shorts):
        found = subprocess.run(
            [*command[:4], "--duration", "12", *command[4:]],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
        )

    assert found.returncode == 0, found.stderr
    assert "12.00 s heard, 24 ticks" in found.stderr
    assert [json.loads(line) for line in found.stdout.splitlines()] == [
        json.loads(line) for line in expected.stdout.splitlines()
    ]
    assert expected.stdout
