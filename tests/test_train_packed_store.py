import hashlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import REPOSITORY, SAMPLE_RATE

from train.recordings.clip_index import find_clips
from train.recordings.decoding.decode import decode
from train.recordings.store import packed_store
from train.recordings.store.clip_store import load_clips
from train.recordings.store.packed_store import INDEX_NAME, PackedStore

NAMES = [hashlib.sha256(bytes([number])).hexdigest() for number in range(8)]
LOAD = """
import sys
from train.recordings.clip_index import find_clips
from train.recordings.store.clip_store import load_clips
print(*load_clips(find_clips(sys.argv[1]), 16000, sys.argv[2]).digests)
"""


def noise(seed: int, length: int = 5_000) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, length).astype(np.float32)


def blocks_of(samples: np.ndarray):
    return lambda: np.array_split(samples, 3)


def refused():
    pytest.fail("decoded again")


def fill(folder: Path, count: int = 3) -> list[np.ndarray]:
    sounds = [noise(seed) for seed in range(count)]
    with PackedStore(folder) as store:
        for name, sound in zip(NAMES, sounds, strict=False):
            store.get(name, SAMPLE_RATE, blocks_of(sound))
    return sounds


def digest(samples: np.ndarray) -> str:
    return hashlib.sha256(samples.tobytes()).hexdigest()


def pack(folder: Path, number: int = 1) -> Path:
    return folder / f"waveforms-{number:04d}.f32"


@pytest.fixture
def many_files(tmp_path) -> Path:
    root = tmp_path / "data"
    for label in ("a", "b"):
        (root / label).mkdir(parents=True)
        for number in range(30):
            soundfile.write(root / label / f"{number}.wav", noise(ord(label) * 100 + number), SAMPLE_RATE)
    return root


def test_what_is_read_is_what_was_decoded_whole_and_in_slices(tmp_path):
    sounds = fill(tmp_path)
    with PackedStore(tmp_path) as store:
        found = [store.get(name, SAMPLE_RATE, refused) for name in NAMES[:3]]
    for sound, packed in zip(sounds, found, strict=True):
        np.testing.assert_array_equal(np.asarray(packed), sound)
        assert (packed.size, len(packed), packed.shape, packed.dtype) == (5_000, 5_000, (5_000,), np.float32)
        assert packed.digest == digest(sound)
        assert packed.peak == float(np.abs(sound).max())
        for key in (slice(10), slice(-7, None), slice(4_990, 6_000), slice(30, 20), slice(None, None, -3), 17, -1):
            np.testing.assert_array_equal(packed[key], sound[key])
        np.testing.assert_array_equal(list(packed), sound)


def test_a_recording_at_another_rate_is_another_recording(tmp_path):
    with PackedStore(tmp_path) as store:
        low = store.get(NAMES[0], 8_000, blocks_of(noise(1, 100)))
        high = store.get(NAMES[0], 16_000, blocks_of(noise(2, 200)))
    assert (low.size, high.size) == (100, 200)


def test_no_file_stays_open_for_a_recording(tmp_path):
    before = len(os.listdir("/dev/fd"))
    fill(tmp_path, 8)
    with PackedStore(tmp_path) as store:
        found = [store.get(name, SAMPLE_RATE, refused) for name in NAMES]
    held = [packed[:10] for packed in found]
    assert len(held) == 8
    assert len(os.listdir("/dev/fd")) == before


def test_a_full_pack_is_followed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(packed_store, "PACK_BYTES", 30_000)
    sounds = fill(tmp_path, 5)
    with PackedStore(tmp_path) as store:
        found = [np.asarray(store.get(name, SAMPLE_RATE, refused)) for name in NAMES[:5]]
    np.testing.assert_array_equal(found, sounds)
    assert [pack(tmp_path, number).stat().st_size for number in (1, 2, 3)] == [40_000, 40_000, 20_000]


def test_a_recording_that_fails_in_its_middle_leaves_nothing(tmp_path):
    fill(tmp_path, 2)

    def broken():
        yield noise(7)
        raise ValueError("cut off")

    with PackedStore(tmp_path) as store:
        with pytest.raises(ValueError, match="cut off"):
            store.get(NAMES[5], SAMPLE_RATE, broken)
        sound = noise(9)
        assert np.array_equal(store.get(NAMES[5], SAMPLE_RATE, blocks_of(sound)), sound)
    assert pack(tmp_path).stat().st_size == 3 * 20_000


def test_a_killed_process_leaves_a_cache_that_goes_on(tmp_path):
    fill(tmp_path, 2)
    child = os.fork()
    if not child:  # is killed while its second recording is half written and its first is not registered yet
        store = PackedStore(tmp_path)
        store.get(NAMES[2], SAMPLE_RATE, blocks_of(noise(2)))

        def kills():
            yield noise(3, 1_000)
            os.kill(os.getpid(), signal.SIGKILL)

        store.get(NAMES[3], SAMPLE_RATE, kills)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert pack(tmp_path).stat().st_size > 40_000
    said: list[str] = []
    with PackedStore(tmp_path, said.append) as store:
        found = [store.get(name, SAMPLE_RATE, blocks_of(noise(seed + 10))) for seed, name in enumerate(NAMES[:4])]
    expected = [noise(0), noise(1), noise(12), noise(13)]  # the last two were decoded anew
    np.testing.assert_array_equal([np.asarray(packed) for packed in found], expected)
    assert any("interrupted" in line for line in said)
    assert pack(tmp_path).stat().st_size == 80_000


@pytest.mark.parametrize("damage", ["cut off", "changed", "gone"])
def test_a_damaged_pack_is_noticed_and_its_recordings_are_decoded_anew(tmp_path, damage):
    sounds = fill(tmp_path)
    if damage == "cut off":
        os.truncate(pack(tmp_path), 45_000)
    elif damage == "changed":
        with pack(tmp_path).open("r+b") as file:
            file.seek(50_000)
            file.write(bytes(400))
    else:
        pack(tmp_path).unlink()
    said: list[str] = []
    decoded: list[int] = []

    def anew(number: int):
        return lambda: (decoded.append(number), [sounds[number]])[1]

    with PackedStore(tmp_path, said.append) as store:
        found = [store.get(name, SAMPLE_RATE, anew(number)) for number, name in enumerate(NAMES[:3])]
    np.testing.assert_array_equal([np.asarray(packed) for packed in found], sounds)
    assert decoded == ([0, 1, 2] if damage == "gone" else [2])
    assert any("decoded anew" in line for line in said)
    with PackedStore(tmp_path, pytest.fail) as store:
        assert store.get(NAMES[2], SAMPLE_RATE, refused).digest == digest(sounds[2])


def test_two_processes_that_fill_one_cache_share_the_work(many_files, tmp_path, monkeypatch):
    command = [sys.executable, "-c", LOAD, str(many_files), str(tmp_path / "cache")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) for _ in range(2)]
    answers = [process.communicate()[0].split() for process in both]
    index = find_clips(many_files)
    expected = [digest(decode(many_files / clip.path, SAMPLE_RATE)) for clip in index.clips]
    assert [process.returncode for process in both] == [0, 0]
    assert answers == [expected, expected]
    assert pack(tmp_path / "cache").stat().st_size == 60 * 20_000  # nothing is there twice


def test_threads_and_a_forked_process_read_at_once(tmp_path):
    sounds = fill(tmp_path, 8)
    with PackedStore(tmp_path) as store:
        found = [store.get(name, SAMPLE_RATE, refused) for name in NAMES]

    def is_right(number: int) -> bool:
        packed, sound, start = found[number % 8], sounds[number % 8], number % 4_000
        return np.array_equal(packed[start : start + 900], sound[start : start + 900])

    child = os.fork()
    if not child:
        os._exit(0 if all(is_right(number) for number in range(500)) else 1)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(is_right, range(500)))
    assert os.waitpid(child, 0)[1] == 0


def test_a_full_disk_is_said_and_what_was_decoded_before_is_kept(many_files, tmp_path):
    cache = tmp_path / "cache"

    def limit() -> None:  # a file larger than this cannot be written, as on a disk that is full
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (210_000, 210_000))

    command = [sys.executable, "-c", LOAD, str(many_files), str(cache)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, preexec_fn=limit)
    assert done.returncode == 1
    assert "OSError: the cache of decoded recordings" in done.stderr
    assert "name another folder with --cache" in done.stderr
    assert pack(cache).stat().st_size == 200_000  # ten whole recordings
    clips = load_clips(find_clips(many_files), SAMPLE_RATE, cache)
    assert all(
        np.array_equal(waveform, decode(many_files / clip.path, SAMPLE_RATE))
        for clip, waveform in zip(clips.index.clips, clips.waveforms, strict=True)
    )


def test_a_cache_that_cannot_be_written_serves_what_it_holds():
    with tempfile.TemporaryDirectory() as name:  # not in tmp_path, which other users may not enter
        folder = Path(name) / "cache"
        fill(folder)
        for path, mode in ((Path(name), 0o755), (folder, 0o555), *((file, 0o444) for file in folder.iterdir())):
            path.chmod(mode)
        child = os.fork()
        if not child:
            if not os.getuid():
                os.setuid(65_534)  # root may write everything
            with PackedStore(folder) as store:
                held = store.get(NAMES[0], SAMPLE_RATE, refused)[:2].size == 2
                try:
                    store.get(NAMES[6], SAMPLE_RATE, blocks_of(noise(1)))
                except OSError as error:
                    os._exit(0 if held and "cannot be used" in str(error) and "--cache" in str(error) else 1)
            os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        folder.chmod(0o755)


def test_an_index_that_is_no_index_is_an_error_that_says_what_to_delete(tmp_path):
    (tmp_path / INDEX_NAME).write_bytes(b"not an index, but long enough to be read as one" * 100)
    with pytest.raises(OSError, match=f"delete {INDEX_NAME} and the packs"):
        PackedStore(tmp_path)


def test_files_of_an_earlier_version_are_named_once(tmp_path):
    (tmp_path / f"{NAMES[0]}-16000.npy").write_bytes(bytes(2_000_000))
    said: list[str] = []
    for _ in range(2):
        with PackedStore(tmp_path, said.append) as store:
            store.get(NAMES[0], SAMPLE_RATE, blocks_of(noise(1)))
    assert len(said) == 1
    assert "1 .npy files of an earlier version (2 MB)" in said[0]
