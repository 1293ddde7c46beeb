"""The page of `earproof web`: its modules against Python, and the whole of it used in a browser.

It needs what `./setup.sh web` and `./setup.sh test` bring: Node.js, Chromium and the built page. Where something is
missing these tests are skipped, but fail where the environment variable CI is set.
"""

import base64
import http.client
import json
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from page_in_browser import WEB, find_node, run_node, served
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

import earproof
from convert.web.served_model import open_model
from convert.web.server import POLICY
from convert.web.site import BUILT_PAGE, make_site, write_site
from edge_runtime.audio.resampling import resample
from edge_runtime.audio.wav_file import read_wav
from edge_runtime.audio.windows import window_starts
from edge_runtime.front_end.mel import model_input
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.golden_vectors import Golden, golden_content
from metadata import MelFrontEnd, StftFrontEnd, pack_model

MEL_OUTSIDE = MelFrontEnd(inside_model=False)
LN_MEL = MelFrontEnd(inside_model=False, log="ln_plus", log_floor=1.0)
LOG_MEL = MelFrontEnd(
    inside_model=False, n_fft=512, hop_length=160, win_length=400, n_mels=40, fmax=7000.0, log="log10", pad_mode="none"
)
STFT = StftFrontEnd(inside_model=False, n_fft=256, hop_length=64, win_length=200, power=1.0, pad_mode="constant")
MODELS = ("softmax.tflite", "sigmoid.tflite", "spectrogram.tflite", "strange.tflite")


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
    job = {
        "clips": [[one, other, noise[:5_000].tolist()] for one, other in RATES],
        "windows": WINDOWS,
        "inputs": [[json.loads(spec.to_json()), noise.tolist()] for spec in SPECS],
        "wav": [base64.b64encode(path.read_bytes()).decode() for path in wavs],
        "stereo": [base64.b64encode(path.read_bytes()).decode() for path in stereos],
    }
    found = run_node(node, "run_modules.mjs", job=job, folder=folder)
    return {"noise": noise, "wavs": wavs, "stereos": stereos, **found}


@pytest.mark.parametrize("number", range(len(RATES)), ids=[f"{one}-{other}" for one, other in RATES])
def test_resampling_on_the_page_is_that_of_python_whole_and_in_blocks(modules, number):
    expected = resample(modules["noise"][:5_000], *RATES[number])
    found = np.array(modules["clips"][number]["samples"], np.float32)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-6
    assert modules["clips"][number]["same"]


def test_windows_on_the_page_begin_where_those_of_classify_begin(modules):
    assert modules["windows"] == [window_starts(*one).tolist() for one in WINDOWS]


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
            golden = golden_content(Golden(windows=windows, scores=scores))
            (folder / "golden" / f"{name}.npz").write_bytes(golden)
    soundfile.write(folder / "clip.wav", _sound(7.3), 44_100)
    soundfile.write(folder / "microphone.wav", _sound(5.0), 44_100)
    (folder / "broken.mp3").write_bytes(b"this is no sound" * 9)
    (folder / "text.tflite").write_bytes(b"this is no model" * 9)
    (folder / "cut.tflite").write_bytes((folder / "softmax.tflite").read_bytes()[:3_000])
    return folder


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
    names = {"clip": "clip.wav", "microphone": "microphone.wav", "broken_audio": "broken.mp3"}
    names |= {"no_model": "text.tflite", "cut_model": "cut.tflite"}
    job = {"address": address, "models": MODELS, **{key: str(folder / name) for key, name in names.items()}}
    return run_node(node, "use_page.mjs", shutil.which("chromium"), job=job, folder=folder)


@pytest.mark.parametrize("name", MODELS)
def test_a_dropped_recording_gets_the_scores_of_classify(seen, folder, name):
    result = Classifier(folder / name).classify(*read_wav(folder / "clip.wav"))
    expected = result.scores
    found = np.array(seen["scores"][name])
    assert len(expected) == 4
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5
    assert np.ptp(expected, axis=0).max() > 1e-3  # windows that differ


def test_half_windows_on_the_page_are_those_of_a_hop_of_half_a_window(seen, folder):
    result = Classifier(folder / MODELS[-1]).classify(*read_wav(folder / "clip.wav"), window_hop=16_000)
    expected = result.scores
    assert np.array(seen["half_windows"]).shape == expected.shape
    assert np.abs(np.array(seen["half_windows"]) - expected).max() <= 1e-5


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
    }
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


def test_every_fault_is_told_with_what_would_do(seen):
    errors = seen["errors"]
    assert re.search(r"broken.mp3 cannot be decoded by this browser.*ffmpeg", errors["broken_audio"])
    assert "text.tflite does not load: this is no .tflite file" in errors["no_model"]
    assert "cut.tflite does not load: " in errors["cut_model"]
    assert errors["no_microphone"] == "there is no microphone; connect one, or choose a file"


def test_the_page_asks_no_other_host_and_breaks_no_policy(seen, address):
    asked = {urlsplit(one).netloc for one in seen["requests"] if not one.startswith(("blob:", "data:"))}
    assert asked == {urlsplit(address).netloc}
    assert seen["faults"] == []


def test_the_page_is_open_to_all(seen):
    assert {state: faults for state, faults in seen["axe"].items() if faults} == {}
    assert len(seen["axe"]) == 3
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
    with pytest.raises(ValueError, match="is it of another build"):
        open_model(path).golden_content()


def test_a_port_that_is_none_is_refused(folder, capsys):
    assert earproof.main(["web", str(folder / "softmax.tflite"), "--port", "70000"]) == 2
    assert "--port is 70000; expected 0 to 65535" in capsys.readouterr().err
