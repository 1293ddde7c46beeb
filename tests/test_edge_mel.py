from pathlib import Path

import numpy as np
import pytest

from edge_runtime.front_end.frames import hann_window
from edge_runtime.front_end.mel import mel_spectrogram, model_input, stft_spectrogram
from edge_runtime.front_end.mel_filters import hz_to_mel, mel_filter_bank, mel_slopes, mel_to_hz
from metadata import MelFrontEnd, ModelSpec, StftFrontEnd, WaveformFrontEnd

RATE = 16_000
WINDOW = 32_000
RECORDINGS = Path(__file__).parents[1] / "../shared/data/speech_song_silence"
FRONT_ENDS = {
    "as JLibrosa": MelFrontEnd(),
    "64 bands, short window": MelFrontEnd(n_fft=512, hop_length=160, win_length=400, n_mels=64),
    "htk without norm": MelFrontEnd(mel_scale="htk", mel_norm="none", fmin=40.0, fmax=7000.0),
    "magnitude": MelFrontEnd(power=1.0, mel_norm="none"),
    "zero padding": MelFrontEnd(pad_mode="constant"),
    "no frame beyond the ends": MelFrontEnd(n_fft=512, hop_length=160, win_length=400, pad_mode="none", n_mels=64),
}


def sine(hertz, num_samples=WINDOW, rate=RATE):
    return np.sin(2 * np.pi * hertz * np.arange(num_samples) / rate).astype(np.float32)


def spec_with(front_end):
    return ModelSpec(
        name="tiny",
        version="1",
        description="",
        sample_rate=RATE,
        window_length=WINDOW,
        labels=("a", "b"),
        activation="softmax",
        thresholds=(0.5, 0.5),
        front_end=front_end,
    )


def relative_error(reference, candidate):
    return np.abs(candidate - reference).max() / np.abs(reference).max()


def librosa_mel(waveform, front_end, rate=RATE):
    pytest.importorskip("librosa", reason="librosa comes with the train extra")
    from train.layers.librosa_mel import librosa_mel as reference

    return reference(waveform, front_end, rate)


def test_mel_is_linear_to_one_kilohertz_and_logarithmic_above():
    assert hz_to_mel([0.0, 200.0, 1000.0, 6400.0]).tolist() == pytest.approx([0.0, 3.0, 15.0, 42.0])
    assert mel_to_hz([3.0, 15.0, 42.0]).tolist() == pytest.approx([200.0, 1000.0, 6400.0])


def test_htk_mel_of_1000_hertz_is_about_1000():
    assert hz_to_mel(1000.0, "htk") == pytest.approx(1000.0, abs=0.02)
    assert mel_to_hz(hz_to_mel(3210.0, "htk"), "htk") == pytest.approx(3210.0)


@pytest.mark.parametrize("hertz", [250, 1000, 3000, 7000])
def test_a_sine_lands_in_its_mel_band(hertz):
    front_end = MelFrontEnd()
    band = mel_spectrogram(sine(hertz), front_end, RATE)[:, 30].argmax()
    corners = mel_to_hz(np.linspace(0.0, hz_to_mel(8000.0), front_end.n_mels + 2))

    assert corners[band] < hertz < corners[band + 2]


def test_two_seconds_have_128_bands_and_63_frames():
    mel = mel_spectrogram(sine(440), MelFrontEnd(), RATE)

    assert mel.shape == (128, 63)
    assert mel.dtype == np.float32


def test_frame_t_is_centred_on_sample_t_times_hop():
    click = np.zeros(WINDOW, np.float32)
    click[20 * 512] = 1.0

    assert mel_spectrogram(click, MelFrontEnd(), RATE).sum(axis=0).argmax() == 20


def test_without_padding_frame_t_begins_with_sample_t_times_hop_and_none_reaches_beyond_the_end():
    front_end = MelFrontEnd(n_fft=512, hop_length=160, win_length=400, pad_mode="none")
    click = np.zeros(15_600, np.float32)
    click[10 * 160 + 200] = 1.0  # the middle of frame 10
    mel = mel_spectrogram(click, front_end, RATE)

    assert mel.shape == (128, 96)
    assert mel.sum(axis=0).argmax() == 10
    with pytest.raises(ValueError, match="399 samples; expected at least 400"):
        mel_spectrogram(click[:399], front_end, RATE)


def test_the_logarithm_of_a_sum_is_natural():
    silence = np.zeros(WINDOW, np.float32)

    found = mel_spectrogram(silence, MelFrontEnd(log="ln_plus", log_floor=1e-3), RATE)
    assert found == pytest.approx(np.log(1e-3))


def test_silence_has_no_energy_and_its_logarithm_is_the_floor():
    silence = np.zeros(WINDOW, np.float32)

    assert mel_spectrogram(silence, MelFrontEnd(), RATE).max() == 0.0
    assert set(mel_spectrogram(silence, MelFrontEnd(log="log10", log_floor=1e-8), RATE).ravel()) == {np.float32(-8.0)}


def test_the_logarithm_is_that_of_the_mel():
    noise = np.random.default_rng(0).normal(0, 0.1, WINDOW).astype(np.float32)
    power = mel_spectrogram(noise, MelFrontEnd(), RATE)

    np.testing.assert_allclose(mel_spectrogram(noise, MelFrontEnd(log="log10"), RATE), np.log10(power), atol=1e-6)


def test_each_slaney_filter_has_area_one_over_hertz():
    front_end = MelFrontEnd(n_fft=16_384, win_length=16_384, n_mels=20)

    areas = mel_filter_bank(front_end, RATE).sum(axis=1) * RATE / front_end.n_fft

    np.testing.assert_allclose(areas, 1.0, rtol=1e-3)


def test_the_window_is_periodic_hann_centred_in_the_transform():
    assert hann_window(4, 8).tolist() == pytest.approx([0, 0, 0, 0.5, 1.0, 0.5, 0, 0])


def test_the_stft_of_a_full_scale_sine_peaks_at_a_quarter_of_the_transform():
    front_end = StftFrontEnd(n_fft=256, hop_length=64, win_length=256, power=1.0)
    magnitude = stft_spectrogram(sine(1000, 20_000, 4000), front_end)

    assert magnitude.shape == (129, 313)
    assert magnitude[:, 100].argmax() == 64
    assert magnitude[64, 100] == pytest.approx(256 / 4, rel=1e-5)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_filters_equal_librosas(name):
    librosa = pytest.importorskip("librosa", reason="librosa comes with the train extra")
    front_end = FRONT_ENDS[name]
    expected = librosa.filters.mel(
        sr=RATE,
        n_fft=front_end.n_fft,
        n_mels=front_end.n_mels,
        fmin=front_end.fmin,
        fmax=front_end.fmax,
        htk=front_end.mel_scale == "htk",
        norm=None if front_end.mel_norm == "none" else "slaney",
    )

    assert np.abs(mel_filter_bank(front_end, RATE) - expected).max() <= 1e-7


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_mel_of_noise_and_of_a_tone_equals_librosas(name):
    noise = np.random.default_rng(1).normal(0, 0.1, WINDOW).astype(np.float32)
    for waveform in (noise, sine(440)):
        expected = librosa_mel(waveform, FRONT_ENDS[name])

        assert relative_error(expected, mel_spectrogram(waveform, FRONT_ENDS[name], RATE)) <= 1e-6


@pytest.mark.parametrize("label", ["silence", "song", "speech"])
def test_mel_of_real_recordings_equals_librosas(label):
    soundfile = pytest.importorskip("soundfile", reason="soundfile comes with the train extra")
    paths = sorted((RECORDINGS / label).glob("*.flac"))[::60]
    if not paths:
        pytest.skip("the real recordings are not beside this checkout")
    for path in paths:
        waveform = soundfile.read(path, dtype="float32")[0][:WINDOW]
        expected = librosa_mel(waveform, MelFrontEnd())

        assert relative_error(expected, mel_spectrogram(waveform, MelFrontEnd(), RATE)) <= 1e-6


@pytest.mark.parametrize(("num_samples", "fits"), [(0, False), (1024, False), (1025, True), (1026, True)])
def test_reflection_needs_one_sample_more_than_half_a_transform(num_samples, fits):
    waveform = np.zeros(num_samples, np.float32)
    if fits:
        assert mel_spectrogram(waveform, MelFrontEnd(), RATE).shape == (128, 1 + num_samples // 512)
    else:
        with pytest.raises(ValueError, match=f"has {num_samples} samples; expected at least 1025"):
            mel_spectrogram(waveform, MelFrontEnd(), RATE)


def test_one_sample_is_enough_for_zero_padding_and_none_is_not():
    assert mel_spectrogram(np.ones(1, np.float32), MelFrontEnd(pad_mode="constant"), RATE).shape == (128, 1)
    with pytest.raises(ValueError, match="has 0 samples; expected at least 1"):
        mel_spectrogram(np.zeros(0, np.float32), MelFrontEnd(pad_mode="constant"), RATE)


def test_the_cached_filters_cannot_be_changed_by_a_caller():
    with pytest.raises(ValueError, match="read-only"):
        mel_filter_bank(MelFrontEnd(), RATE)[0, 0] = 1.0


def test_a_waveform_model_is_fed_the_window_itself():
    window = sine(440)

    assert np.array_equal(model_input(window, spec_with(WaveformFrontEnd())), window)
    assert np.array_equal(model_input(window, spec_with(MelFrontEnd(inside_model=True))), window)


def test_a_spectrogram_model_is_fed_the_mel_band_by_band():
    window, front_end = sine(440), MelFrontEnd(inside_model=False)

    flat = model_input(window, spec_with(front_end)).reshape(-1)

    assert np.array_equal(flat[:63], mel_spectrogram(window, front_end, RATE)[0])


def test_a_window_of_another_length_is_refused():
    with pytest.raises(ValueError, match="31999 samples; tiny takes 32000"):
        model_input(np.zeros(31_999, np.float32), spec_with(WaveformFrontEnd()))


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_the_slopes_are_the_filter_bank(name):
    front_end = FRONT_ENDS[name]
    frames = np.random.default_rng(0).random((5, 1 + front_end.n_fft // 2))
    bank = mel_filter_bank(front_end, RATE).astype(np.float64)

    np.testing.assert_allclose(mel_slopes(front_end, RATE).apply(frames), frames @ bank.T, rtol=1e-13, atol=1e-13)


def test_the_slopes_of_bands_too_narrow_to_hold_a_frequency_are_zero():
    front_end = MelFrontEnd(n_fft=256, hop_length=128, win_length=256)
    bank = mel_filter_bank(front_end, RATE).astype(np.float64)
    frames = np.random.default_rng(0).random((5, 129))
    mel = mel_slopes(front_end, RATE).apply(frames)

    assert not bank.any(axis=1).all()
    assert not mel[:, ~bank.any(axis=1)].any()
    np.testing.assert_allclose(mel, frames @ bank.T, rtol=1e-13, atol=1e-13)
