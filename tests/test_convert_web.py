"""The page of `earproof web`: its modules against Python, and the whole of it used in a browser.

It needs what `./setup.sh web` and `./setup.sh test` bring: Node.js, Chromium and the built page. Where something is
missing these tests are skipped, but fail where the environment variable CI is set.
"""

import base64
import http.client
import itertools
import json
import re
import shlex
import shutil
import struct
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import sound_containers
import soundfile
from page_in_browser import WEB, find_node, run_node, served
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_detector, tiny_spec

import earproof
from convert.web.served_model import open_model
from convert.web.server import POLICY
from convert.web.site import BUILT_PAGE, make_site, write_site
from edge_runtime.audio.resampling import resample
from edge_runtime.audio.wav_file import WavFile, read_wav
from edge_runtime.audio.windows import window_starts
from edge_runtime.front_end.mel import model_input
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.golden_vectors import Golden, golden_content
from edge_runtime.segments.detecting import within
from edge_runtime.segments.score_grid import segments_of
from edge_runtime.segments.score_stream import recording_scores
from metadata import FrameScores, MelFrontEnd, StftFrontEnd, pack_model
from train.recordings.decoding.decode import read_file, stored_rate

MEL_OUTSIDE = MelFrontEnd(inside_model=False)
LN_MEL = MelFrontEnd(inside_model=False, log="ln_plus", log_floor=1.0)
LOG_MEL = MelFrontEnd(
    inside_model=False, n_fft=512, hop_length=160, win_length=400, n_mels=40, fmax=7000.0, log="log10", pad_mode="none"
)
STFT = StftFrontEnd(inside_model=False, n_fft=256, hop_length=64, win_length=200, power=1.0, pad_mode="constant")
FRAMES = FrameScores(125, 256, (0.45, 0.5, 0.55))
MODELS = ("softmax.tflite", "sigmoid.tflite", "spectrogram.tflite", "strange.tflite", "detector.tflite")
WINDOW_MODELS = MODELS[:-1]


@pytest.fixture(scope="module")
def node():
    return find_node()


def test_the_types_of_the_page_are_right(node):
    done = subprocess.run([WEB / "node_modules/.bin/tsc", "--noEmit"], cwd=WEB, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_licences_of_all_that_the_page_is_made_of_come_with_it(node):
    licences = (BUILT_PAGE / "licences.txt").read_text(encoding="utf-8").split("-" * 72)
    packages = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["dependencies"]
    heads = [text.strip().splitlines() for text in licences]
    assert [lines[0].rpartition(",")[0] for lines in heads] == [
        f"{name} {version}" for name, version in packages.items()
    ]
    assert all(len(lines) > 2 for lines in heads)  # and not the name alone


RATES = [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (22_050, 44_100), (16_000, 16_000)]
WINDOWS = [(1, 10, 5), (10, 10, 5), (11, 10, 5), (20, 10, 10), (21, 10, 10), (95, 10, 3), (50, 10, 25)]
SPECS = [tiny_spec(front_end=front_end) for front_end in (MEL_OUTSIDE, LN_MEL, LOG_MEL, STFT)]


@pytest.fixture(scope="module")
def modules(node, tmp_path_factory):
    """What the page's modules make of noise, windows and WAV files."""
    folder = tmp_path_factory.mktemp("modules")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 32_000).astype(np.float32)
    stereo = np.stack([noise[:50], -noise[:50]], axis=1)
    wavs = []
    for subtype in ("PCM_16", "PCM_24", "FLOAT"):
        soundfile.write(folder / f"{subtype}.wav", stereo, 22_050, subtype=subtype)
        wavs.append(folder / f"{subtype}.wav")
    echo = 0.1 * np.roll(noise, 40)
    mixes = {
        "alike": noise + echo,
        "opposite": echo - 1.2 * noise,
        "half": np.where(np.arange(32_000) < 12_000, -1, 1) * noise,
    }
    for name, other in mixes.items():
        soundfile.write(folder / f"{name}.wav", np.stack([noise, other], axis=1), 8_000, subtype="FLOAT")
    stereos = [folder / f"{name}.wav" for name in mixes]
    sources = _write_sources(folder, noise)
    cut_wavs = _write_cut_wavs(folder)
    job = {
        "sources": {path.name: base64.b64encode(path.read_bytes()).decode() for path in sources},
        "cut_wav": {path.name: base64.b64encode(path.read_bytes()).decode() for path in cut_wavs},
        "clips": [[one, other, noise[:5_000].tolist()] for one, other in RATES],
        "windows": WINDOWS,
        "lengths": [[7_200 * 16_000, 2, 16_000], [7_200 * 44_100, 1, 44_100]],
        "inputs": [[json.loads(spec.to_json()), noise.tolist()] for spec in SPECS],
        "wav": [base64.b64encode(path.read_bytes()).decode() for path in wavs],
        "stereo": [base64.b64encode(path.read_bytes()).decode() for path in stereos],
    }
    found = run_node(node, "run_modules.mjs", job=job, folder=folder)
    return {"noise": noise, "wavs": wavs, "stereos": stereos, "folder": folder, **found}


RATES_SAID = {  # of what no decoder of Python reads
    "vorbis.webm": (sound_containers.matroska(b"A_VORBIS", 32_000.0), 32_000),
    "live.webm": (sound_containers.matroska(b"A_VORBIS", 44_100.0, known=False), 44_100),
    "opus.webm": (sound_containers.matroska(b"A_OPUS", 16_000.0), 48_000),  # which it is encoded from
    "unsaid.mka": (sound_containers.matroska(b"A_PCM/INT/LIT", None), 8_000),
    "film.mp4": (sound_containers.mp4(22_050), 22_050),
    "frames.aac": (sound_containers.adts(4), 44_100),
    "low.aac": (sound_containers.adts(8), 16_000),
    "no_sound.bin": (sound_containers.mp3_like(), None),
    "one_frame.bin": (bytes((0xFF, 0xFB, 0x94, 0x00)) + sound_containers.mp3_like(), None),
}


def _write_sources(folder, noise):
    """Recordings of every container that the page reads, whole ones and some that are cut off or have a gap."""
    said = {**{name: content for name, (content, _) in RATES_SAID.items()}}
    for name, rate in (("high.mp3", 44_100), ("low.mp3", 22_050), ("a.flac", 32_000), ("a.ogg", 22_050)):
        soundfile.write(folder / name, np.tile(noise, 5), rate)
    soundfile.write(folder / "a.opus", np.tile(noise, 5), 24_000, format="OGG", subtype="OPUS")
    whole = {path.name: path.read_bytes() for path in folder.glob("*.*") if path.suffix != ".wav"}
    tag = b"ID3\x04\0\0\0\0\x02\x2c" + b"\xff\xe3" * 150  # a picture may hold anything
    frames = whole["high.mp3"][417:]  # without the first frame, which says how many there are
    made = {
        "tagged.mp3": tag + whole["high.mp3"],
        "cut_uncounted.mp3": frames[: len(frames) // 2],
        "gap_uncounted.mp3": frames[:20_000] + frames[23_000:],
        "gap.ogg": whole["a.ogg"][: len(whole["a.ogg"]) // 2] + whole["a.ogg"][len(whole["a.ogg"]) // 2 + 9_000 :],
    }
    cut = {f"cut_{name}": content[: len(content) // 2 + 9] for name, content in {**whole, **said}.items()}
    for name, content in {**said, **made, **cut}.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in (*whole, *said, *made, *cut)]


def _write_cut_wavs(folder):
    """WAV files whose header and content disagree, and those where they may."""
    soundfile.write(folder / "whole.wav", np.full(400, 0.25), 8_000)
    soundfile.write(folder / "long.rf64", np.full(400, 0.25), 8_000, format="RF64")
    whole, long = (folder / "whole.wav").read_bytes(), (folder / "long.rf64").read_bytes()
    lengths = {"sox": 0x7FFFF000, "ffmpeg": 0xFFFFFFFF, "unsaid": 0, "too_long": 1_000_000, "as_said": 800}
    made = {f"{name}.wav": whole[:40] + struct.pack("<I", length) + whole[44:] for name, length in lengths.items()}
    made["cut.wav"] = whole[:-101]
    made["listed.wav"] = made["ffmpeg.wav"] + b"LIST\x04\0\0\0INFO"
    made["cut.rf64"] = long[:-100]
    fields = {"slow": (24, "<I", 50), "fast": (24, "<I", 3_000_000), "no_channels": (22, "<H", 0), "odd": (32, "<H", 3)}
    for name, (place, form, value) in fields.items():
        field = struct.pack(form, value)
        made[f"{name}.wav"] = whole[:place] + field + whole[place + len(field) :]
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in ("long.rf64", *made)]


@pytest.mark.parametrize("number", range(len(RATES)), ids=[f"{one}-{other}" for one, other in RATES])
def test_resampling_on_the_page_is_that_of_python_whole_and_in_blocks(modules, number):
    expected = resample(modules["noise"][:5_000], *RATES[number])
    found = np.array(modules["clips"][number]["samples"], np.float32)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-6
    assert modules["clips"][number]["same"]


def test_windows_on_the_page_begin_where_those_of_classify_begin(modules):
    assert modules["windows"] == [window_starts(*one).tolist() for one in WINDOWS]


def test_a_recording_too_long_for_the_page_is_refused_with_what_hears_it(modules):
    short, long = modules["lengths"]
    assert short == ""
    assert long.startswith("it lasts 120 min, and this page holds 101 min of such sound; earproof classify")


def test_the_rate_of_a_file_is_that_of_its_own_header(modules):
    found = {name: said.get("sampleRate") for name, said in modules["sources"].items()}
    assert {name: found[name] for name in RATES_SAID} == {name: rate for name, (_, rate) in RATES_SAID.items()}
    decoded = ("high.mp3", "low.mp3", "tagged.mp3", "a.flac", "a.ogg")
    assert {name: found[name] for name in decoded} == {name: stored_rate(modules["folder"] / name) for name in decoded}
    assert found["a.opus"] == 48_000
    assert modules["sources"]["a.flac"]["numSamples"] == 160_000
    assert all(modules["sources"][name]["notes"] == [] for name in (*decoded, "a.opus", *RATES_SAID))


def _refusal(path):
    """What Python says of a file that it refuses, without its name; empty where it reads it."""
    try:
        read_file(path)
    except ValueError as error:
        return str(error).removeprefix(f"{path} ")
    return ""


def test_a_compressed_file_that_is_cut_off_is_refused_in_the_words_of_python(modules):
    for name in ("cut_high.mp3", "cut_low.mp3", "cut_a.ogg", "cut_a.opus"):
        expected = _refusal(modules["folder"] / name)
        assert expected.startswith("is truncated: "), name
        assert modules["sources"][name]["refused"] == f"it {expected}"
    for name in ("cut_vorbis.webm", "cut_live.webm", "cut_opus.webm", "cut_film.mp4", "cut_frames.aac"):
        assert "it is truncated: its samples should reach to byte" in modules["sources"][name]["refused"]
    assert re.match(r"it is truncated: .* missing; .* Copy it again", modules["sources"]["gap.ogg"]["refused"])
    assert modules["sources"]["cut_a.flac"]["numSamples"] == 160_000  # more than the browser will decode
    assert modules["sources"]["cut_uncounted.mp3"]["notes"] == ["its last MP3 frame is cut short"]
    (odd,) = modules["sources"]["gap_uncounted.mp3"]["notes"]
    assert re.fullmatch(r"\d+ bytes of it are no MP3 frames: it is damaged", odd)


def test_a_wav_file_is_whole_on_the_page_where_it_is_whole_for_classify(modules):
    expected = {name: _refusal(modules["folder"] / name) for name in modules["cut_wav"]}
    assert modules["cut_wav"] == {name: text and f"it {text}" for name, text in expected.items()}
    assert sorted(name for name, text in expected.items() if text) == [
        *("cut.rf64", "cut.wav", "fast.wav", "no_channels.wav", "odd.wav", "slow.wav", "too_long.wav")
    ]


@pytest.mark.parametrize("number", range(len(SPECS)), ids=["mel", "ln mel", "log mel", "stft"])
def test_spectrograms_on_the_page_are_those_of_python(modules, number):
    expected = model_input(modules["noise"], SPECS[number]).reshape(-1)
    found = np.array(modules["inputs"][number], np.float32)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_wav_files_on_the_page_hold_the_samples_that_python_reads(modules):
    for path, found in zip(modules["wavs"], modules["wav"], strict=True):
        expected, rate = soundfile.read(path, dtype="float32")
        assert found["sampleRate"] == rate
        assert np.array_equal(np.array(found["channels"], np.float32).T, expected), path.name


def test_channels_become_one_on_the_page_as_in_classify(modules):
    loudest = []
    for path, found in zip(modules["stereos"], modules["stereo"], strict=True):
        expected, _ = read_wav(path)
        assert np.abs(np.array(found, np.float32) - expected).max() <= 1e-7, path.name
        frames, _ = soundfile.read(path, dtype="float32")
        loudest.append(bool(np.array_equal(expected, frames[:, 1])))
    assert loudest == [False, True, False]  # only channels in opposite phase are not averaged


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models with golden vectors, and recordings: one to drop, one for the microphone."""
    folder = tmp_path_factory.mktemp("page")
    contents = {
        "softmax": (tiny_classifier(), tiny_spec(name="softmax")),
        "sigmoid": (
            tiny_classifier(seed=1, activation="sigmoid"),
            tiny_spec(name="sigmoid", activation="sigmoid", thresholds=(0.3, 0.5, 0.7)),
        ),
        "spectrogram": (
            tiny_classifier(input_shape=(1, 128, 63, 1)),
            tiny_spec(name="spectrogram", front_end=LN_MEL),
        ),
        "strange": (tiny_classifier(), tiny_spec(name="strange")),
        "detector": (
            tiny_detector(frames_first=True),
            tiny_spec(name="detector", activation="sigmoid", frames=FRAMES),
        ),
    }
    (folder / "golden").mkdir()
    windows = np.random.default_rng(2).integers(-9_000, 9_000, (6, 32_000)).astype(np.float32) / np.float32(32768)
    for name, (model, spec) in contents.items():
        path = folder / f"{name}.tflite"
        path.write_bytes(pack_model(model, spec))
        scores = np.stack([Classifier(path).scores(window) for window in windows])
        if name == "strange":  # vectors of a training that this file is not of
            scores = scores[:, ::-1]
        if name != "spectrogram":
            frames = [Classifier(path).frame_scores(window).reshape(-1) for window in windows if spec.frames]
            golden = golden_content(
                Golden(windows=windows, scores=scores, frame_scores=np.stack(frames) if frames else None)
            )
            (folder / "golden" / f"{name}.npz").write_bytes(golden)
    soundfile.write(folder / "clip.wav", _sound(7.3), 44_100)
    soundfile.write(folder / "microphone.wav", _sound(5.0), 44_100)
    soundfile.write(
        folder / "loud.wav",
        np.stack([3.9 * _sound(2.0) / np.abs(_sound(2.0)).max(), _sound(2.0)], 1),
        16_000,
        subtype="FLOAT",
    )
    soundfile.write(folder / "plain.mp3", _sound(2.0), 44_100)
    (folder / "padded.mp3").write_bytes(b"no frame of MP3 " + (folder / "plain.mp3").read_bytes())
    _write_faulty_files(folder)
    write_site(make_site([open_model(folder / "softmax.tflite")]), folder / "out")
    return folder


def _write_faulty_files(folder):
    """Files that the page cannot hear, or cannot hear with."""
    (folder / "broken.mp3").write_bytes(b"this is no sound" * 9)
    (folder / "text.tflite").write_bytes(b"this is no model" * 9)
    (folder / "cut.tflite").write_bytes((folder / "softmax.tflite").read_bytes()[:3_000])
    (folder / "empty.wav").write_bytes(b"")
    soundfile.write(folder / "no_samples.wav", np.zeros(0, np.float32), 44_100)
    for name, value in (("nan", np.nan), ("huge", 1e12)):
        samples = np.zeros(8_000, np.float32)
        samples[800] = value
        soundfile.write(folder / f"{name}.wav", samples, 8_000, subtype="FLOAT")
    whole = (folder / "clip.wav").read_bytes()
    (folder / "cut.wav").write_bytes(whole[: len(whole) // 2])
    for name in ("cut.flac", "cut.mp3"):
        soundfile.write(folder / name, _sound(3.0), 44_100)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    odd = MelFrontEnd(inside_model=False, n_fft=1000, win_length=1000, hop_length=500)
    spec = tiny_spec(name="odd", front_end=odd)
    (folder / "odd.tflite").write_bytes(pack_model(tiny_classifier(input_shape=(1, 128, 65, 1)), spec))


def _sound(seconds):
    """Tones that come and go in noise, float32 at 44.1 kHz."""
    times = np.arange(round(seconds * 44_100)) / 44_100
    tone = np.sin(2 * np.pi * 700 * times) * (np.sin(np.pi * times / 1.3) > 0)
    return (0.3 * tone + 0.05 * np.random.default_rng(3).standard_normal(times.size)).astype(np.float32)


@pytest.fixture(scope="module")
def address(node, folder):
    """Where `earproof web` serves the page."""
    with served("web", *(folder / name for name in MODELS)) as address:
        yield address


@pytest.fixture(scope="module")
def seen(node, address, folder):
    """What one visit in Chromium saw."""
    faults = (
        *("broken.mp3", "text.tflite", "cut.tflite", "empty.wav", "no_samples.wav", "nan.wav", "odd.tflite"),
        "huge.wav",
        *("cut.wav", "cut.flac", "cut.mp3"),
    )
    job = {
        "address": address,
        "models": MODELS,
        "clip": str(folder / "clip.wav"),
        "microphone": str(folder / "microphone.wav"),
        "faults": {name if name.startswith("cut") else Path(name).stem: str(folder / name) for name in faults},
        "loud": str(folder / "loud.wav"),
        "padded": str(folder / "padded.mp3"),
        "folder": str(folder / "out"),
        "silence_below": _silence_below(folder),
    }
    return run_node(node, "use_page.mjs", shutil.which("chromium"), job=job, folder=folder)


def _silence_below(folder):
    """A level that one window of the clip lies below."""
    lowest, next_one, *_ = sorted(
        Classifier(folder / "sigmoid.tflite").classify(*read_wav(folder / "clip.wav")).levels_dbfs
    )
    return round((lowest + next_one) / 2, 3)


@pytest.mark.parametrize("name", WINDOW_MODELS)
def test_a_dropped_recording_gets_the_scores_of_classify(seen, folder, name):
    result = Classifier(folder / name).classify(*read_wav(folder / "clip.wav"))
    expected = result.scores
    found = np.array(seen["scores"][name])
    assert len(expected) == 4
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5
    assert np.ptp(expected, axis=0).max() > 1e-3  # windows that differ


def test_half_windows_on_the_page_are_those_of_a_hop_of_half_a_window(seen, folder):
    result = Classifier(folder / "spectrogram.tflite").classify(*read_wav(folder / "clip.wav"), window_hop=16_000)
    expected = result.scores
    assert np.array(seen["half_windows"]).shape == expected.shape
    assert np.abs(np.array(seen["half_windows"]) - expected).max() <= 1e-5


def _timeline(folder, tmp_path, *options):
    """What `earproof timeline` finds in the clip, (label, onset, offset, score) sorted."""
    out = tmp_path / "timeline.json"
    command = ["timeline", str(folder / "detector.tflite"), str(folder / "clip.wav"), "--out", str(out), "--force"]
    assert earproof.main([*command, *options]) == 0
    (recording,) = json.loads(out.read_text(encoding="utf-8"))["recordings"]
    return [(one["label"], one["onset"], one["offset"], one["score"]) for one in recording["segments"]]


def _of_page(events):
    return [(one["label"], one["start"], one["end"], one["score"]) for one in events]


def _assert_same_events(found, expected):
    assert [one[0] for one in found] == [one[0] for one in expected]
    numbers = [[one[1:] for one in events] for events in (found, expected)]
    assert np.abs(np.array(numbers[0]) - np.array(numbers[1])).max() <= 1e-5


@pytest.mark.parametrize(("seen_as", "hop"), [("scores", None), ("quarter_windows", 0.5)])
def test_frame_scores_on_the_page_are_those_of_python(seen, folder, seen_as, hop):
    classifier = Classifier(folder / "detector.tflite")
    samples = resample(*read_wav(folder / "clip.wav"), 16_000)
    expected = recording_scores(classifier, [samples], hop).scores
    found = np.array(seen["scores"]["detector.tflite"] if seen_as == "scores" else seen[seen_as])
    assert found.shape == expected.shape == (457, 3)
    assert np.abs(found - expected).max() <= 1e-5
    assert np.ptp(expected, axis=0).max() > 0.1  # frames that differ
    assert "windows begin every 0.992 s" in seen["detector"]["status"]
    assert seen["detector"]["hop"] == "2"  # half a window, as earproof timeline has it


@pytest.mark.parametrize(
    ("rules", "options"),
    [
        ("own", ()),
        ("joined", ("--median-frames", "5", "--gap", "0.1", "--shortest", "0.05")),
        ("quarter", ("--hop", "0.5")),
    ],
)
def test_events_of_frames_on_the_page_are_those_of_timeline(seen, folder, tmp_path, rules, options):
    said = shlex.split(seen["detector"]["by"][rules]["line"])
    assert said[:4] == ["earproof", "timeline", "detector.tflite", "AUDIO"]
    assert sorted(said[4:]) == sorted(options)
    expected = _timeline(folder, tmp_path, *options)
    assert len(expected) > 3
    _assert_same_events(_of_page(seen["detector"]["by"][rules]["events"]), expected)


def test_a_moved_threshold_decides_frames_as_one_in_the_file_would(seen, folder):
    classifier = Classifier(folder / "detector.tflite")
    samples = resample(*read_wav(folder / "clip.wav"), 16_000)
    grid = recording_scores(classifier, [samples])
    segments = segments_of(grid, (0.62,) * 3, min_seconds=0.05, gap_seconds=0.1, median_frames=5)
    expected = [(one.label, one.onset, one.offset, one.score) for one in within(segments, samples.size / 16_000)]
    _assert_same_events(_of_page(seen["detector"]["by"]["threshold"]["events"]), expected)
    assert expected != _of_page(seen["detector"]["by"]["joined"]["events"])
    said = seen["detector"]["by"]["threshold"]["command"]
    assert "earproof timeline detector.tflite AUDIO --gap 0.1 --shortest 0.05 --median-frames 5" in said
    assert "without --threshold: earproof metadata write --spec writes" in said
    assert seen["detector"]["hidden"]  # a detector has no clip to merge
    assert seen["detector"]["reset"] == seen["detector"]["by"]["own"]


DECISIONS = {
    "own": ({}, {}),
    "threshold": ({"song": 0.38}, {}),
    "union": ({"song": 0.38}, {"merge": "union"}),
    "silence": ({"song": 0.38}, {"merge": "union", "silent": True}),
    "maximum": ({"song": 0.38}, {"merge": "maximum", "silent": True}),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_decisions_on_the_page_are_those_of_classify_with_the_same_options(seen, folder, name):
    moved, options = DECISIONS[name]
    classifier = Classifier(folder / "sigmoid.tflite")
    classifier.use_thresholds([moved.get(*one) for one in zip(TINY_LABELS, classifier.spec.thresholds, strict=True)])
    limit = _silence_below(folder) if options.get("silent") else None
    result = classifier.classify(
        *read_wav(folder / "clip.wav"), merge=options.get("merge", "mean"), silence_below_dbfs=limit
    )
    said = [f"{label} ({result.clip_scores[TINY_LABELS.index(label)]:.3f})" for label in result.decision]
    silent = "; 1 of 4 windows silent" if limit is not None else ""
    found = seen["decisions"][name]
    assert found["verdict"] == f"On the whole: {', '.join(said) or 'no label reaches its threshold'}{silent}"
    # Each window speaks for its own two seconds, the last one for the rest.
    borders = [0.0, 2.0, 4.0, 6.0, 7.3]
    heard = [
        (label, borders[place], borders[place + 1])
        for place, (scores, is_silent) in enumerate(zip(result.scores, result.silent, strict=True))
        for label in (() if is_silent else classifier.decide(scores))
    ]
    covered = {
        (one["label"], start, stop)
        for one in found["events"]
        for start, stop in itertools.pairwise(borders)
        if one["start"] <= start + 1e-6 and stop <= one["end"] + 1e-6
    }
    assert covered == set(heard)


@pytest.mark.parametrize("name", ["own", "threshold", "union", "silence", "maximum", "one", "all_but_one", "hop"])
def test_the_command_on_the_page_decides_the_same_in_a_terminal(seen, folder, capsys, monkeypatch, name):
    monkeypatch.chdir(folder)
    found = seen["decisions"][name]
    earproof_, *words = shlex.split(found["line"])
    assert earproof_ == "earproof"
    assert earproof.main([*["clip.wav" if word == "AUDIO" else word for word in words], "--json"]) == 0
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]
    scores = np.array([list(window["scores"].values()) for window in recording["windows"]])
    on_page = np.array(seen["scores_of_hop"] if name == "hop" else seen["scores"]["sigmoid.tflite"])
    assert on_page.shape == scores.shape
    heard = [not window["silent"] for window in recording["windows"]]  # silence has no scores there
    assert np.abs(on_page - scores)[heard].max() <= 1e-5
    clip = recording["clip"]
    said = [f"{label} ({clip['scores'][label]:.3f})" for label in clip["decision"]]
    assert found["verdict"].split("; ")[0] == f"On the whole: {', '.join(said) or 'no label reaches its threshold'}"
    decided = {label for window in recording["windows"] for label in window["decision"]}
    assert {one["label"] for one in found["events"]} == decided
    assert (found["changed"] == "as the file says") == (len(words) == 3)


def test_thresholds_are_said_in_the_fewest_words_and_a_hop_with_them(seen):
    decisions = seen["decisions"]
    lines = {name: decisions[name]["line"].partition(" AUDIO ")[2] for name in ("one", "all_but_one", "hop")}
    assert lines["one"] == "--threshold 0.42"
    assert lines["all_but_one"] == "--threshold 0.42 --threshold song=0.43"
    assert lines["hop"] == "--threshold 0.42 --threshold song=0.43 --hop 0.5"
    assert decisions["hop"]["changed"] == "3 changed"
    assert decisions["reset_hop"] == {**decisions["own"], "hop": "1"}


def test_events_are_joined_and_left_out_and_the_file_s_rules_come_back(seen):
    decisions = seen["decisions"]
    assert len(decisions["gap"]["events"]) < len(decisions["maximum"]["events"])
    assert all(one["end"] - one["start"] >= 7 for one in decisions["shortest"]["events"])
    assert "--threshold song=0.38 --merge maximum --silence-below" in decisions["shortest"]["command"]
    assert "without --gap and --shortest" in decisions["shortest"]["command"]
    assert decisions["shortest"]["changed"] == "5 changed"
    assert decisions["own"] == decisions["reset"]
    assert decisions["own"]["changed"] == "as the file says"


def test_thresholds_of_softmax_scores_move_where_a_union_asks_for_them(seen, folder):
    assert not seen["softmax"]["moved"]
    assert seen["softmax"]["movedInUnion"]
    result = Classifier(folder / "softmax.tflite").classify(*read_wav(folder / "clip.wav"), merge="union")
    said = [f"{label} ({result.clip_scores[TINY_LABELS.index(label)]:.3f})" for label in result.decision]
    assert seen["softmax"]["union"]["verdict"] == f"On the whole: {', '.join(said)}"


def test_thresholds_that_wait_for_a_union_are_told_and_can_be_taken_back(seen):
    back, reset = seen["softmax"]["back"], seen["softmax"]["reset"]
    assert back["changed"] == "as the file says; moved thresholds wait for the union"
    assert back["line"] == reset["line"] == "earproof classify softmax.tflite AUDIO"
    assert reset["changed"] == "as the file says"
    assert reset["said"] == "0.50"
    assert not reset["offered"]


def test_what_is_odd_about_a_recording_is_told(seen, folder):
    with WavFile(folder / "loud.wav") as recording:
        list(recording.blocks())
        (remark,) = recording.remarks()
    assert "11.8 dB above full scale" in remark
    assert remark in seen["told"]["loud"]
    assert "its rate was not found, so the browser decoded it at 48000 Hz" in seen["told"]["padded"]
    assert "resampled from 48,000 Hz," in seen["told"]["webm"]  # Opus
    assert "not found" not in seen["told"]["webm"]


def test_of_several_files_one_is_heard_and_the_others_are_named(seen):
    said = "One file at a time: clip.wav was taken, and loud.wav and padded.mp3 were not"
    assert seen["told"]["several"] == {"title": "clip.wav", "error": said}
    refused = "empty.wav is empty; choose a recording with sound. One file at a time: empty.wav was taken, and clip.wav"
    assert seen["told"]["several_refused"] == f"{refused} was not"


def test_the_axis_begins_before_the_recording_where_the_picture_does(seen):
    oldest, newest = (_clock(text) for text in seen["axis"])
    assert 0 < newest < 6
    assert oldest == pytest.approx(newest - 6, abs=0.11)


def _clock(text):
    minutes, seconds = text.removeprefix("−").split(":")
    return (-1 if text.startswith("−") else 1) * (60 * int(minutes) + float(seconds))


def test_the_slider_follows_the_wheel_and_takes_it_back(seen):
    zoom = seen["zoom"]
    assert zoom["slider"]["slider"] == 50
    assert zoom["out"] == {"slider": 0, "wide": 1}
    assert zoom["in"]["slider"] > 0
    assert zoom["in"]["wide"] > 1.2
    assert zoom["undone"] == {"slider": 0, "wide": 1}


def test_a_page_that_no_script_runs_on_says_what_it_needs(seen):
    assert seen["started"]["served"] == 0
    assert not seen["started"]["at_once"]
    assert "python -m http.server" in seen["started"]["said"]


def test_the_page_says_what_it_did(seen):
    print(f"model ready {seen['ready_ms']} ms, a dropped file scored {seen['first_score_ms']:.0f} ms after opening")
    assert seen["offered"] == list(MODELS)
    assert "4 windows in 7.3 s" in seen["status"]
    assert "44,100 Hz" in seen["status"]
    assert seen["events"] >= 1
    assert re.fullmatch(r"\d+\.\d ms", seen["latency"])
    assert all(label in seen["metadata"] for label in TINY_LABELS)
    assert "LiteRT.js" in seen["metadata"]
    assert seen["time"].endswith("/ 0:07.3")


def test_golden_vectors_pass_and_those_of_another_training_fail(seen):
    verdicts = {name: [text.split()[0] for text in texts] for name, texts in seen["parity"].items()}
    assert verdicts == {
        "softmax.tflite": ["Pass", "Pass"],
        "sigmoid.tflite": ["Pass", "Pass"],
        "strange.tflite": ["Fail", "Pass"],
        "detector.tflite": ["Pass", "Pass", "Pass", "Pass"],
    }
    assert "on 750 frames" in seen["parity"]["detector.tflite"][1]
    assert "on 6 windows" in seen["parity"]["softmax.tflite"][0]


def test_the_microphone_is_heard_as_it_is_and_becomes_a_recording(seen, folder):
    assert seen["constraints"] == {
        "echoCancellation": False,
        "noiseSuppression": False,
        "autoGainControl": False,
        "channelCount": 1,
    }
    silence = Classifier(folder / MODELS[0]).scores(np.zeros(32_000, np.float32))
    assert sum(seen["live_bars"]) == pytest.approx(1, abs=0.002)
    assert np.abs(np.array(seen["microphone_scores"]) - silence).max() > 1e-4  # sound came through
    assert "window" in seen["microphone_status"]


def test_every_fault_is_told_with_what_would_do(seen, folder):
    errors = seen["errors"]
    assert errors["gap"] == "--gap is -1; expected seconds, 0 or more"
    assert errors["silence"].startswith("--silence-below is 3; expected a level of 0 dBFS or less")
    assert seen["kept_gap"] == "0"
    assert re.search(r"broken.mp3: this browser cannot decode it.*ffmpeg", errors["broken"])
    assert "text.tflite does not load: this is no .tflite file" in errors["text"]
    assert "cut.tflite does not load: " in errors["cut.tflite"]
    assert errors["empty"] == "empty.wav is empty; choose a recording with sound"
    assert errors["no_samples"] == "no_samples.wav: the WAV file holds no samples; choose a recording with sound"
    assert "nan.wav: its sample at 0.100 s is NaN, which is no sound" in errors["nan"]
    assert "huge.wav: its sample at 0.100 s is 999999995904, which is no sound" in errors["huge"]
    assert "odd.tflite does not load: its spectrogram takes transforms of 1000 samples" in errors["odd"]
    assert seen["status_after_faults"] == "Ready for another recording."
    assert "the microphone was taken away; connect it again" in errors["lost_microphone"]
    assert seen["pressed_after_loss"] == "false"
    gone = "the server does not answer; is earproof still running? When it starts again it prints a new address"
    assert errors["no_server_parity"] == gone
    assert errors["no_server_model"] == f"sigmoid.tflite does not load: {gone}"
    samples, again = len(_sound(3.0)), "was the recording or the copy interrupted? Copy it again"
    assert errors["cut.wav"] == f"cut.wav: it {_refusal(folder / 'cut.wav')}"
    for name in ("cut.flac", "cut.mp3"):
        assert re.fullmatch(
            rf"{name}: it is truncated: \d+ of {samples} samples can be read; {re.escape(again)}", errors[name]
        )
    for name in ("no_golden", "no_golden_but_a_page"):
        assert errors[name].startswith(
            "this host has no golden vectors of softmax.tflite: its golden.json was left out"
        )
    assert errors["no_microphone"] == "there is no microphone; connect one, or choose a file"


def test_a_browser_without_workers_is_told_and_scores_the_same(seen):
    assert re.match(
        r"This browser runs no worker \(.*Worker.*\): the model computes in the page", seen["errors"]["no_worker"]
    )
    difference = np.array(seen["scores_without_worker"]) - np.array(seen["scores"]["softmax.tflite"])
    assert np.abs(difference).max() <= 1e-6


def test_the_page_asks_no_other_host_and_breaks_no_policy(seen, address):
    asked = {urlsplit(one).netloc for one in seen["requests"] if not one.startswith(("blob:", "data:"))}
    assert asked == {urlsplit(address).netloc}
    assert seen["faults"] == []


def test_the_page_is_open_to_all(seen):
    assert {state: faults for state, faults in seen["axe"].items() if faults} == {}
    assert len(seen["axe"]) == 4
    assert seen["narrow_width"] == 360


def test_the_server_answers_its_own_name_alone(address):
    host = urlsplit(address)
    answers = {}
    for name in (host.netloc, "rebound.example"):
        connection = http.client.HTTPConnection(host.hostname, host.port)
        connection.request("GET", "/models.json", headers={"Host": name})
        answers[name] = connection.getresponse()
    assert {name: answer.status for name, answer in answers.items()} == {host.netloc: 200, "rebound.example": 400}
    assert answers[host.netloc].headers["Content-Security-Policy"] == POLICY


def test_a_written_page_has_the_policy_in_itself():
    page = (WEB / "src" / "index.html").read_text(encoding="utf-8")
    in_page = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert f"{in_page}; frame-ancestors 'none'" == POLICY  # which only a header can say
    assert "connect-src 'self'" in in_page


@pytest.fixture
def built(tmp_path):
    """A page that is built, as far as Python looks at it."""
    (tmp_path / "built" / "wasm").mkdir(parents=True)
    (tmp_path / "built" / "index.html").write_text("<title>earproof</title>")
    (tmp_path / "built" / "wasm" / "a.wasm").write_bytes(b"wasm")
    return tmp_path / "built"


def test_a_page_for_a_web_host_holds_page_models_and_golden_vectors(folder, built, tmp_path):
    models = [open_model(folder / name) for name in ("softmax.tflite", "spectrogram.tflite")]
    write_site(make_site(models, built), tmp_path / "out")
    out = tmp_path / "out"
    written = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert written == [
        "index.html",
        *("models.json", "models/0/golden.json", "models/0/softmax.tflite", "models/1/spectrogram.tflite"),
        "wasm/a.wasm",
    ]
    listed = json.loads((out / "models.json").read_text(encoding="utf-8"))["models"]
    assert [entry["golden"] for entry in listed] == ["models/0/golden.json", None]
    assert listed[0]["spec"]["labels"] == list(TINY_LABELS)
    assert (out / listed[1]["model"]).read_bytes() == (folder / "spectrogram.tflite").read_bytes()
    with pytest.raises(FileExistsError, match="is not an empty folder"):
        write_site(make_site(models, built), out)


def test_a_page_that_is_not_built_says_what_builds_it(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the page is not built.*\./setup\.sh web"):
        make_site([open_model(folder / "softmax.tflite")], tmp_path)


def test_golden_vectors_of_another_window_are_refused(folder, tmp_path):
    path = tmp_path / "short.tflite"
    path.write_bytes(pack_model(tiny_classifier(16_000), tiny_spec(name="softmax", window_length=16_000)))
    shutil.copytree(folder / "golden", tmp_path / "golden")
    with pytest.raises(ValueError, match="is of another build than"):
        open_model(path).golden_content()


def test_a_port_that_is_none_is_refused(folder, capsys):
    assert earproof.main(["web", str(folder / "softmax.tflite"), "--port", "70000"]) == 2
    assert "--port is 70000; expected 0 to 65535" in capsys.readouterr().err
