import numpy as np
import pytest

from train.pictures.bench_plot import draw_bench

STATES = [{"seconds": 60.0 * minute, "temperature_celsius": 50.0 + minute} for minute in range(3)]


def summary(count, seed=0):
    return {"samples_ms": np.random.default_rng(seed).gamma(4.0, 0.2, count).tolist()}


def entry(file="a.tflite", threads=1, sustained=None):
    return {
        "file": file,
        "num_threads": threads,
        "num_runs": 50,
        "warmup_runs": 5,
        "invoke": summary(50),
        "end_to_end": summary(50, 1),
        "sustained": sustained,
    }


def sustained(states=STATES):
    times = np.arange(1, 241) * 0.5
    return {
        "end_to_end": summary(240, 2),
        "tick_times_seconds": times.tolist(),
        "states": states,
        "num_ticks": 240,
        "missed_ticks": 3,
    }


def document(*entries):
    return {"machine": {"cpu": "A53", "runtime": "ai-edge-litert 2.1.6"}, "files": list(entries)}


def size(path):
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def test_runs_are_drawn_and_minutes_add_a_row(tmp_path):
    draw_bench(document(entry(), entry("b.tflite", 2)), tmp_path / "runs.png")
    draw_bench(document(entry(sustained=sustained()), entry("b.tflite")), tmp_path / "minutes.png")
    runs, minutes = size(tmp_path / "runs.png"), size(tmp_path / "minutes.png")

    assert runs[0] == minutes[0]
    assert minutes[1] > 1.3 * runs[1]


def test_what_is_drawn_are_the_samples(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("train.pictures.bench_plot.save_figure", lambda figure, path: drawn.append(figure))
    one = entry(sustained=sustained())
    draw_bench(document(one), tmp_path / "x.png")
    distribution, runs, _, _, ticks, degrees = drawn[0].axes

    assert distribution.lines[0].get_xdata().tolist() == sorted(one["invoke"]["samples_ms"])
    assert distribution.lines[0].get_ydata()[-1] == 1.0
    assert runs.lines[0].get_ydata().tolist() == one["invoke"]["samples_ms"]
    assert ticks.lines[0].get_xdata()[-1] == 2.0  # minutes
    assert list(degrees.lines[0].get_ydata()) == [50.0, 51.0, 52.0]
    assert "3 of 240 ticks missed" in ticks.get_legend().texts[0].get_text()


def test_a_machine_without_a_thermometer_is_named(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("train.pictures.bench_plot.save_figure", lambda figure, path: drawn.append(figure))
    draw_bench(
        document(entry(sustained=sustained([{"seconds": 1.0, "temperature_celsius": None}]))), tmp_path / "x.png"
    )

    assert drawn[0].axes[-1].texts[0].get_text() == "this machine does not tell its temperature"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        draw_bench(document(entry()), tmp_path / "none" / "x.png")
