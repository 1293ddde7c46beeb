import hashlib
import json

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.audio.resampling import resample
from edge_runtime.bench.latency import input_length, measure_latency, summarize
from edge_runtime.model.classifier import Classifier
from metadata import MelFrontEnd
from metadata.packing.packed_model import pack_model


@pytest.fixture(scope="module")
def classifier():
    return Classifier(pack_model(tiny_classifier(), tiny_spec()))


def windows(count=3, length=32_000):
    return np.random.default_rng(0).normal(0, 0.1, (count, length)).astype(np.float32)


def test_percentiles_of_1_to_101_are_known_by_hand():
    summary = summarize(np.arange(1, 102))

    assert (summary.p50_ms, summary.p90_ms, summary.p95_ms, summary.p99_ms) == (51.0, 91.0, 96.0, 100.0)
    assert (summary.max_ms, summary.mean_ms) == (101.0, 51.0)
    assert summary.samples_ms == tuple(range(1, 102))


def test_percentiles_interpolate_between_two_samples():
    summary = summarize([1.0, 3.0])

    assert summary.p50_ms == 2.0
    assert summary.p95_ms == pytest.approx(2.9)
    assert summary.std_ms == 1.0


@pytest.mark.parametrize("samples", [[], [1.0, np.nan], [-1.0], [np.inf]])
def test_latencies_that_cannot_be_are_refused(samples):
    with pytest.raises(ValueError, match="expected at least one, finite and not negative"):
        summarize(samples)


def test_every_run_is_kept_and_the_way_is_longer_than_the_invoke(classifier):
    report = measure_latency(classifier, windows(), num_runs=7, warmup_runs=2)

    assert len(report.invoke.samples_ms) == len(report.end_to_end.samples_ms) == report.num_runs == 7
    assert all(
        whole > part > 0.0 for whole, part in zip(report.end_to_end.samples_ms, report.invoke.samples_ms, strict=True)
    )
    assert report.real_time_factor == pytest.approx(report.end_to_end.mean_ms / 2000)
    assert (report.num_windows, report.warmup_runs, report.num_threads) == (3, 2, 1)
    assert report.model_bytes == len(classifier.model)
    assert report.model_sha256 == hashlib.sha256(classifier.model).hexdigest()
    assert report.open_ms > 0.0
    assert report.first_inference_ms > 0.0


def test_the_windows_take_turns_after_the_warm_up(classifier):
    counting = _Counting(classifier)
    measure_latency(counting, windows(3), num_runs=4, warmup_runs=2)

    assert counting.heard == [0, 1, 0, 1, 2, 0]


def test_the_front_end_outside_the_model_counts_as_end_to_end():
    spec = tiny_spec(front_end=MelFrontEnd(inside_model=False))
    spectrogram_form = Classifier(pack_model(tiny_classifier(input_shape=(1, 128, 63, 1)), spec))
    report = measure_latency(spectrogram_form, windows(), num_runs=3, warmup_runs=1)

    assert len(report.end_to_end.samples_ms) == 3


@pytest.mark.parametrize(
    ("sample_rate", "length"), [(16_000, 32_000), (44_100, 88_200), (48_000, 96_000), (8_000, 16_000), (22_050, 44_100)]
)
def test_a_window_at_another_rate_has_as_many_samples_as_fill_the_models(sample_rate, length):
    assert input_length(32_000, 16_000, sample_rate) == length
    assert resample(np.zeros(length, np.float32), sample_rate, 16_000).size >= 32_000


@pytest.mark.parametrize("sample_rate", [48_000, 22_050, 8_000])
def test_samples_at_another_rate_are_resampled_inside_the_measured_way(classifier, sample_rate):
    heard = _Counting(classifier)
    length = input_length(32_000, 16_000, sample_rate)
    clips = windows(1, length)
    report = measure_latency(heard, clips, num_runs=2, warmup_runs=0, sample_rate=sample_rate)

    assert report.sample_rate == sample_rate
    assert np.array_equal(heard.loaded[0], resample(clips[0], sample_rate, 16_000)[:32_000])


def test_windows_of_the_models_rate_are_refused_where_another_is_said(classifier):
    with pytest.raises(ValueError, match=r"expected \(n_windows, 96000\)"):
        measure_latency(classifier, windows(), sample_rate=48_000)


def test_the_report_is_a_json_document(classifier):
    document = json.loads(json.dumps(measure_latency(classifier, windows(), 2, 0).as_dict(), allow_nan=False))

    assert document["machine"]["runtime"]
    assert len(document["invoke"]["samples_ms"]) == 2


@pytest.mark.parametrize("shape", [(32_000,), (0, 32_000), (2, 31_999)])
def test_windows_of_another_shape_are_refused(classifier, shape):
    with pytest.raises(ValueError, match=r"expected \(n_windows, 32000\)"):
        measure_latency(classifier, np.zeros(shape, np.float32))


@pytest.mark.parametrize(("num_runs", "warmup_runs"), [(0, 1), (1, -1)])
def test_no_runs_are_refused(classifier, num_runs, warmup_runs):
    with pytest.raises(ValueError, match="expected at least 1 and 0"):
        measure_latency(classifier, windows(), num_runs, warmup_runs)


class _Counting:
    """Passes everything on to a classifier and notes which window it was given."""

    def __init__(self, classifier):
        self._classifier, self.loaded, self._known = classifier, [], windows(3)

    def __getattr__(self, name):
        return getattr(self._classifier, name)

    @property
    def heard(self):
        return [next(i for i, known in enumerate(self._known) if np.array_equal(known, one)) for one in self.loaded]

    def load_window(self, window):
        self.loaded.append(np.array(window))
        self._classifier.load_window(window)
