"""The generated C, compiled for this machine, against the front end that Python runs."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from c_project import COMPILE, CProgram, require_compiler, spectrogram_model
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from edge_runtime.front_end.mel import model_input
from edge_runtime.microcontroller.c_array import make_project
from edge_runtime.microcontroller.c_text import identifier, string
from edge_runtime.microcontroller.check_source import check_signal
from edge_runtime.microcontroller.front_end_tables import front_end_tables
from edge_runtime.model.tensor_io import quantize
from metadata import MelFrontEnd, ModelContractError, StftFrontEnd, pack_model, read_spec
from metadata.gate.model_check import check_model

DATA_SHORT = Path(__file__).parents[1] / "data_short"
YAMNET = {"n_fft": 512, "win_length": 400, "hop_length": 160, "power": 1.0, "pad_mode": "none", "n_mels": 64}
YAMNET |= {"fmin": 125.0, "fmax": 7500.0, "mel_scale": "htk", "mel_norm": "none"}
LOG10 = {"n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 64, "log": "log10", "inside_model": False}
STFT = {"n_fft": 256, "hop_length": 64, "win_length": 256, "power": 1.0}
ODD = {"n_fft": 128, "hop_length": 50, "win_length": 101, "power": 2.0, "pad_mode": "constant"}
FRONT_ENDS = {
    "mel_cnn": (MelFrontEnd(inside_model=False), 32_000),
    "transfer": (MelFrontEnd(inside_model=False, **YAMNET), 15_600),
    "yamnet": (MelFrontEnd(inside_model=False, **YAMNET, log="ln_plus", log_floor=1e-3), 15_600),
    "log10": (MelFrontEnd(**LOG10), 16_000),
    "source_counter": (StftFrontEnd(inside_model=False, **STFT), 20_000),
    "odd": (StftFrontEnd(inside_model=False, **ODD), 3_001),
}
LOGARITHMS = ("yamnet", "log10")
# So far below the loudest, float32 holds no four digits of a band; ln of a magnitude, log10 of a power.
SIXTY_DB = {"yamnet": 3 * np.log(10.0), "log10": 6.0}


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A compiled program for each front end, made when it is asked for."""
    made = {}

    def program(name):
        if name not in made:
            model = spectrogram_model(*FRONT_ENDS[name])
            made[name] = CProgram(tmp_path_factory.mktemp(name), model, read_spec(model))
        return made[name]

    return program


@pytest.fixture(scope="module")
def song():
    """8 s of song at 16 kHz, then a second of silence, as a microphone delivers them."""
    song, sample_rate = soundfile.read(DATA_SHORT / "song" / "alto.flac", dtype="int16")
    assert sample_rate == 16_000
    return np.concatenate([np.resize(song, 8 * 16_000), np.zeros(16_000, np.int16)])


def _error(made, expected, name):
    """The largest difference: of logarithms as it is, else in parts of the window's largest value."""
    difference = np.abs(made - expected).max()
    return difference if name in LOGARITHMS else difference / np.abs(expected).max()


@pytest.mark.parametrize("name", FRONT_ENDS)
@pytest.mark.parametrize("kind", ["float", "fixed"])
def test_a_window_in_c_is_that_of_python(programs, song, name, kind):
    program = programs(name)
    window = song[16_000:][: program.spec.window_length]
    limit = 1e-6 if kind == "float" and name not in LOGARITHMS else 1e-4
    made = program.inputs(window, kind, "windows", 1_000_000)
    assert len(made) == 1
    assert _error(made[0], model_input(window / np.float32(32768), program.spec), name) <= limit


@pytest.mark.parametrize("name", FRONT_ENDS)
@pytest.mark.parametrize("kind", ["float", "fixed"])
def test_a_stream_gives_the_windows_value_by_value(programs, song, name, kind):
    program = programs(name)
    hop = 7 * program.spec.front_end.hop_length
    samples = song[: program.spec.window_length + 12 * hop + 5]
    windows = program.inputs(samples, kind, "windows", hop)
    assert len(windows) == 13
    for chunk in (1_000_000, 331):
        assert np.array_equal(program.inputs(samples, kind, "stream", hop, chunk), windows)


def test_windows_that_do_not_overlap_come_out_of_a_stream(programs, song):
    program = programs("source_counter")
    hop = program.spec.window_length // 64 * 64
    samples = song[: 3 * program.spec.window_length]
    windows = program.inputs(samples, "float", "windows", hop)
    assert np.array_equal(program.inputs(samples, "float", "stream", hop, 999), windows)


@pytest.mark.parametrize("hop", [0, 100, 3_200_000])
def test_a_stream_whose_windows_begin_between_columns_is_refused(programs, hop):
    # `expected` is the exit code of what refuses; nothing is written then
    assert programs("mel_cnn").run(np.zeros(0, np.int16), "float", "stream", hop, 100, expected=3) == b""


@pytest.mark.parametrize("name", ["mel_cnn", "yamnet", "log10", "odd"])
@pytest.mark.parametrize("kind", ["float", "fixed"])
def test_silence_one_count_and_full_scale_are_as_in_python(programs, name, kind):
    program = programs(name)
    length = program.spec.window_length
    one_count = np.zeros(length, np.int16)
    one_count[length // 2] = 1
    loudest = np.where(np.arange(length) // 3 % 2, 32767, -32768).astype(np.int16)
    for window in (np.zeros(length, np.int16), one_count, loudest):
        expected = model_input(window / np.float32(32768), program.spec)
        made = program.inputs(window, kind, "windows", length)[0]
        if name in LOGARITHMS:
            heard = expected >= expected.max(axis=0) - SIXTY_DB[name]
            assert np.abs(made - expected)[heard].max() <= 1e-4
            assert (made < made.max(axis=0) - SIXTY_DB[name] + 1e-3)[~heard].all()
        else:
            assert np.abs(made - expected).max() <= 1e-4 * max(float(expected.max()), 1e-30)


def test_float_samples_give_what_integers_give(programs, song):
    program = programs("yamnet")
    window = song[:15_600]
    made = program.inputs(window, "float", "floats")
    assert np.array_equal(made, program.inputs(window, "float", "windows", 15_600))


def test_an_int8_input_is_quantized_as_python_does(programs, song):
    program = programs("yamnet")
    window = song[:15_600]
    features = program.inputs(window, "float", "floats")[0]
    made = np.frombuffer(program.run(window, "float", "quantize", 0.015625, 17), np.int8)
    assert made.min() < 0 < made.max() == 127  # clipped at the upper end
    assert np.array_equal(made, quantize(features.ravel(), 0.015625, 17, np.int8))


@pytest.mark.parametrize("kind", ["float", "fixed"])
@pytest.mark.parametrize("name", ["mel_cnn", "yamnet"])
def test_the_check_on_the_device_passes(programs, name, kind):
    assert float(programs(name).run(np.zeros(0, np.int16), kind, "check")) <= 1e-4


def test_the_check_on_the_device_finds_another_front_end(tmp_path):
    model = spectrogram_model(*FRONT_ENDS["yamnet"])
    program = CProgram(tmp_path, model, read_spec(model))
    other = MelFrontEnd(inside_model=False, **YAMNET | {"mel_scale": "slaney"}, log="ln_plus", log_floor=1e-3)
    changed = spectrogram_model(other, 15_600)
    files = make_project(check_model(changed), read_spec(changed), "m").files
    (tmp_path / "m_front_end.c").write_text(files["m_front_end.c"])
    program.build(("-O1",))
    assert float(program.run(np.zeros(0, np.int16), "float", "check")) > 0.1


def test_no_read_or_write_leaves_its_array_and_nothing_is_undefined(tmp_path, song):
    model = spectrogram_model(*FRONT_ENDS["odd"])
    flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    program = CProgram(tmp_path, model, read_spec(model), flags)
    samples = song[:5_000]
    for kind in ("float", "fixed"):
        windows = program.inputs(samples, kind, "windows", 350)
        assert len(windows) == 6
        assert np.array_equal(program.inputs(samples, kind, "stream", 350, 77), windows)
        assert float(program.run(samples, kind, "check")) <= 1e-4


def test_model_labels_and_thresholds_are_those_of_the_file(tmp_path):
    labels = ("Säge", 'a "quoted" name??/', "back\\slash")
    front_end, length = FRONT_ENDS["odd"]
    model = spectrogram_model(front_end, length, labels=labels, thresholds=(0.1, 0.25, 1.0))
    program = CProgram(tmp_path, model, read_spec(model))
    lines = program.run(np.zeros(0, np.int16), "float", "model").decode().splitlines()
    content = check_model(model)
    assert lines[0] == f"0 {content.end}"
    assert lines[1:] == ["Säge 0.100000001", 'a "quoted" name??/ 0.25', "back\\slash 1"]
    text = (tmp_path / "m_model.c").read_text().partition("= {\n")[2].partition("\n}")[0]
    assert bytes(int(number) for number in text.replace("\n", "").split(",") if number.strip()) == model[: content.end]


def test_the_check_signal_is_the_same_in_c(programs):
    for name in ("mel_cnn", "odd"):
        signal = check_signal(programs(name).spec.window_length)
        assert signal[0] == -6_000 + 484 - 1024  # 484: the upper bits of 1664525 + 1013904223
        assert np.array_equal(np.frombuffer(programs(name).run(signal, "float", "signal"), np.int16), signal)


def test_sizes_in_the_header_are_those_that_the_c_code_counts(programs, song):
    tables = front_end_tables(programs("mel_cnn").spec)
    header = (programs("mel_cnn").folder / "m_front_end.h").read_text()
    # 63 columns; two columns at the beginning of each of 32,000 / 8,192 windows, and one more, begun at a time
    assert tables.stream_floats == (63 + 5 * 2) * 128
    assert "#define M_WINDOW_HOP 8192" in header
    assert f"#define M_STREAM_FLOATS {tables.stream_floats}" in header


@pytest.mark.parametrize(
    ("change", "said"),
    [({"n_fft": 400, "win_length": 400}, "n_fft is 400; .* powers of two"), ({"power": 0.5}, "power is 0.5")],
)
def test_a_front_end_that_c_does_not_have_is_refused(change, said):
    settings = {"n_fft": 512, "win_length": 400, "hop_length": 160} | change
    model = spectrogram_model(MelFrontEnd(inside_model=False, **settings), 16_000)
    with pytest.raises(ModelContractError, match=said):
        make_project(check_model(model), read_spec(model))


def test_names_in_c_are_made_of_any_name():
    assert identifier("Mel CNN, 2 s") == "mel_cnn_2_s"
    assert identifier("3 birds") == "m_3_birds"
    assert identifier("ö") == "model"
    assert identifier("Earproof") == "m_earproof"  # earproof_front_end.h is there already
    assert string("é") == '"\\303\\251"'


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(spectrogram_model(*FRONT_ENDS["odd"], name="Odd One"))
    return path


def _c_array(*arguments):
    return earproof.main(["metadata", "c-array", *map(str, arguments)])


def test_the_command_writes_the_files_that_it_lists(model_file, tmp_path, capsys):
    assert _c_array(model_file, "--out", tmp_path / "c", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["files"] == sorted(path.name for path in (tmp_path / "c").iterdir())
    assert "odd_one_model.c" in report["files"]
    assert report["resolver_methods"] == ["AddFullyConnected", "AddMean", "AddReshape", "AddSoftmax"]
    assert report["model_bytes"] == check_model(model_file.read_bytes()).end
    assert report["front_end"]["work_bytes"] == 8 * 65


def test_the_command_says_what_the_device_must_have(model_file, tmp_path, capsys):
    assert _c_array(model_file, "--out", tmp_path / "c", "--name", "x") == 0
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("operators")).split()[1:] == [
        *("4:", "AddFullyConnected,", "AddMean,", "AddReshape,", "AddSoftmax"),
    ]
    assert next(line for line in lines if line.startswith("front end")) == "front end  65 bands x 61 frames, in C"
    assert (tmp_path / "c" / "x_front_end.h").is_file()


def test_a_name_that_c_does_not_take_is_changed_and_that_is_told(model_file, tmp_path, capsys):
    assert _c_array(model_file, "--out", tmp_path / "c", "--name", "3 bad-name") == 0
    assert "note: '3 bad-name' cannot begin names in C here; taken for 'm_3_bad_name'" in capsys.readouterr().err
    assert (tmp_path / "c" / "m_3_bad_name_model.h").exists()


def test_files_that_are_there_are_kept_without_force(model_file, tmp_path, capsys):
    (tmp_path / "odd_one_model.c").write_text("mine")
    assert _c_array(model_file, "--out", tmp_path) == 2
    assert "odd_one_model.c already; give --force" in capsys.readouterr().err
    assert (tmp_path / "odd_one_model.c").read_text() == "mine"
    assert not (tmp_path / "odd_one_model.h").exists()
    assert _c_array(model_file, "--out", tmp_path, "--force") == 0
    assert (tmp_path / "odd_one_model.c").read_text() != "mine"


def test_a_file_that_the_microcontroller_refuses_gives_no_files(tmp_path, capsys):
    path = Path(__file__).parent / "damaged_files" / "sound" / "dynamic_int8.tflite"
    assert _c_array(path, "--out", tmp_path / "c") == 2
    assert "TensorFlow Lite Micro refuses as hybrids; take the recipe int8" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_a_model_that_takes_samples_needs_no_front_end(tmp_path, capsys):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    assert _c_array(path, "--out", tmp_path / "c") == 0
    assert "front end  inside the model, which takes samples" in capsys.readouterr().out
    assert not list((tmp_path / "c").glob("*front_end*"))
    assert "_check_scores[3]" in (tmp_path / "c" / "tiny_classifier_check.h").read_text()


def test_the_c_lines_of_the_page_compile(tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "microcontroller.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```c\n(.*?)^```", page, re.M | re.S)
    model = spectrogram_model(*FRONT_ENDS["mel_cnn"])
    for name, text in make_project(check_model(model), read_spec(model), "mel_cnn").files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [require_compiler(), *COMPILE, f"-I{tmp_path}", "-fsyntax-only", "-x", "c", "-"]
    done = subprocess.run(command, input=block, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    named = set(re.findall(r"\bmel_cnn_(?:check_)?(?:signal|error|scores|front_end_fixed)\b|\bMEL_CNN_\w+", page))
    written = "".join(
        (tmp_path / name).read_text() for name in ("mel_cnn_model.h", "mel_cnn_front_end.h", "mel_cnn_check.h")
    )
    int8_only = {"MEL_CNN_INPUT_SCALE", "MEL_CNN_INPUT_ZERO_POINT"}
    assert {name for name in named - int8_only if name not in written} == set()


def test_an_int8_input_states_its_scale():
    path = Path(__file__).parent / "damaged_files" / "sound" / "int8_io.tflite"
    content = check_model(path.read_bytes())
    header = make_project(content, tiny_spec(window_length=content.tensors.inputs[0].size), "m").files["m_model.h"]
    scale, zero_point = content.tensors.inputs[0].scales[0], content.tensors.inputs[0].zero_points[0]
    assert f"#define M_INPUT_SCALE {scale!r}f" in header
    assert f"#define M_INPUT_ZERO_POINT ({zero_point})" in header
