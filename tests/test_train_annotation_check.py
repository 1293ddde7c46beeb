"""`earproof data check` and `data list` on recordings with annotations, as a user calls them."""

import json
import re

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE

import earproof
from edge_runtime.segments.segment import Segment
from train.checks.event_levels import NOTHING_DBFS, event_levels

HEADER = "filename,onset,offset,event_label\n"
SECONDS = 4


def _noise(seed, seconds=SECONDS, level=0.05):
    """Noise whose level wavers, different for each seed."""
    rng = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE)
    wavering = 1.0 + 0.8 * np.sin(np.cumsum(rng.uniform(0, 0.004, count)))
    return (level * wavering * rng.standard_normal(count)).astype(np.float32)


class Scenes:
    """Six scenes of two labels on three sides, every annotation sound; tests spoil what they are about."""

    def __init__(self, folder):
        self.folder = folder
        self.samples = {f"{name}.wav": _noise(number) for number, name in enumerate("abcdef")}
        self.rows = [
            f"{name},{0.5 + 0.1 * n},{1.5 + 0.1 * n},{'dog' if n % 2 else 'cat'}" for n, name in enumerate(self.samples)
        ]
        self.rows += [f"{name},2,3,{'cat' if n % 2 else 'dog'}" for n, name in enumerate(self.samples)]
        sides = ("train", "val", "test")
        self.meta = [f"{name},{sides[n // 2]},g{n}," for n, name in enumerate(self.samples)]

    def write(self):
        for name, samples in self.samples.items():
            soundfile.write(self.folder / name, samples, SAMPLE_RATE)
        (self.folder / "annotations.csv").write_text(HEADER + "\n".join(self.rows) + "\n", encoding="utf-8")
        meta = ["filename,split,group,background", *self.meta]
        (self.folder / "meta.csv").write_text("\n".join(meta) + "\n", encoding="utf-8")

    def check(self, capsys, *options):
        self.write()
        code = earproof.main(["data", "check", str(self.folder), "--json", *options])
        document = json.loads(capsys.readouterr().out)
        return code, {found["kind"]: found for found in document["findings"]}


@pytest.fixture
def scenes(tmp_path):
    return Scenes(tmp_path)


def test_sound_annotations_have_no_finding_but_the_balance_of_events_and_seconds(scenes, capsys):
    code, found = scenes.check(capsys)
    assert (code, list(found)) == (0, ["few_test_groups", "event_balance"])
    assert found["event_balance"]["clips"] == [
        "cat: 6 events, 6.0 s (train: 2 events, 2.0 s; val: 2 events, 2.0 s; test: 2 events, 2.0 s)",
        "dog: 6 events, 6.0 s (train: 2 events, 2.0 s; val: 2 events, 2.0 s; test: 2 events, 2.0 s)",
    ]


def test_all_faults_of_the_rows_are_errors_that_name_file_and_line(scenes, capsys, tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    scenes.rows += ["a.wav,2,1,dog", "a.wav,0,1,dug", "z.wav,0,1,dog", "a.wav,4.5,5,dog", '"g.wav","0,5",1,dog']
    scenes.samples["g.wav"] = _noise(9)
    scenes.meta.append("g.wav,train,g9,")
    code, found = scenes.check(capsys, "--labels", str(tmp_path / "labels.txt"))
    assert code == 1
    assert {found[kind]["level"] for kind in found if kind.startswith("annotation")} == {"error"}
    rows = found["annotation_fault"]["clips"]
    assert [re.match(r"annotations\.csv, line \d+", row)[0][-2:] for row in rows] == ["14", "15", "18"]
    for row, expected in zip(
        rows, ("from 2 to 1; expected", "unknown label 'dug'; did you mean dog", "decimal comma"), strict=True
    ):
        assert expected in row
    assert found["annotation_fault"]["text"] == "3 annotations cannot be read; correct them: training refuses them"
    assert found["annotation_without_recording"]["clips"] == ["annotations.csv, line 16: no file 'z.wav'"]
    assert "no_event" not in found  # that of g.wav is faulty
    assert found["annotation_without_recording"]["text"].startswith(
        "1 annotation is of a recording that is not there; "
    )
    (behind,) = found["annotation_behind_end"]["clips"]
    assert found["annotation_behind_end"]["text"].startswith("1 annotation begins behind the end of its recording; ")
    assert behind == "annotations.csv, line 17: a.wav, 4.5 to 5 s, dog: begins behind the end at 4 s"


def test_short_overlapping_and_cut_events_are_warnings_with_their_lines(scenes, capsys):
    scenes.rows += ["a.wav,1.8,1.839,dog", "b.wav,2.5,3.5,cat", "c.wav,3.5,4.5,dog"]
    code, found = scenes.check(capsys)
    assert code == 0
    assert found["short_event"]["clips"] == ["annotations.csv, line 14: a.wav, 1.8 to 1.839 s, dog"]
    assert "shorter than a frame of 40 ms" in found["short_event"]["text"]
    assert found["overlapping_events"]["clips"] == [
        "annotations.csv, line 15: b.wav, 2.5 to 3.5 s, cat: overlaps annotations.csv, line 9, 2 to 3 s, cat"
    ]
    assert found["event_beyond_end"]["clips"] == [
        "annotations.csv, line 16: c.wav, 3.5 to 4.5 s, dog: the recording ends at 4 s"
    ]


def test_an_event_without_sound_is_an_error_and_a_quiet_one_a_warning(scenes, capsys):
    scenes.samples["a.wav"][2 * SAMPLE_RATE : 3 * SAMPLE_RATE] = 0.0
    scenes.samples["b.wav"][2 * SAMPLE_RATE : 3 * SAMPLE_RATE] *= 0.001
    code, found = scenes.check(capsys)
    assert code == 1
    assert (found["event_without_sound"]["level"], found["event_without_sound"]["clips"]) == (
        "error",
        ["annotations.csv, line 8: a.wav, 2 to 3 s, dog: every sample is alike"],
    )
    (quiet,) = found["quiet_event"]["clips"]
    assert re.fullmatch(r"annotations\.csv, line 9: b\.wav, 2 to 3 s, cat: -8\d dBFS", quiet)


def test_a_label_that_a_side_lacks_is_an_error(scenes, capsys):
    scenes.rows = [row for row in scenes.rows if not (row[0] in "ef" and row.endswith("dog"))]
    code, found = scenes.check(capsys)
    assert code == 1
    assert "the test side has no clip of dog" in found["label_missing"]["text"]


def test_labels_that_folds_lack_are_found_where_there_is_no_split(scenes, capsys):
    scenes.write()
    table = "filename,fold\n" + "".join(f"{name},{n // 2 + 1}\n" for n, name in enumerate(scenes.samples))
    scenes.rows = [row for row in scenes.rows if not (row[0] in "ef" and row.endswith("dog"))]
    scenes.rows += ["a.wav,3,3.5,cow"]
    scenes.write = lambda: None
    (scenes.folder / "meta.csv").write_text(table)
    (scenes.folder / "annotations.csv").write_text(HEADER + "\n".join(scenes.rows) + "\n")
    code, found = scenes.check(capsys)
    assert code == 1
    assert found["label_in_one_fold"]["clips"] == ["cow: fold 1"]
    assert found["label_missing_in_fold"]["clips"] == ["dog: none in fold 3"]


def test_a_recording_without_an_event_is_counted_and_most_of_them_are_a_warning(scenes, capsys):
    scenes.samples["g.wav"] = _noise(9)
    scenes.meta.append("g.wav,train,g9,")
    code, found = scenes.check(capsys)
    assert (code, found["no_event"]["level"], found["no_event"]["clips"]) == (0, "note", ["g.wav"])
    scenes.samples |= {f"h{n}.wav": _noise(20 + n) for n in range(7)}
    scenes.meta += [f"h{n}.wav,train,h{n}," for n in range(7)]
    _, found = scenes.check(capsys)
    assert found["no_event"]["level"] == "warning"
    assert "are the annotations not finished" in found["no_event"]["text"]


def _on_one_background(scenes):
    """Put scenes of the train and test side on one stretch of a background, the second later by half a second."""
    background, half = _noise(50, 6, 0.1), SAMPLE_RATE // 2
    scenes.samples["a.wav"] = background[half:][: SECONDS * SAMPLE_RATE]
    scenes.samples["f.wav"] = background[: SECONDS * SAMPLE_RATE]
    scenes.meta[0] += "kitchen.wav"
    scenes.meta[5] += "kitchen.wav"


def test_a_background_that_two_sides_share_is_a_warning_that_names_it_and_no_error(scenes, capsys):
    _on_one_background(scenes)
    scenes.rows = [row for row in scenes.rows if row[0] not in "af"]
    scenes.rows += ["a.wav,0.5,1.5,dog", "a.wav,2,3,cat", "f.wav,0.1,0.9,dog", "f.wav,3,3.5,cat"]
    code, found = scenes.check(capsys)
    assert (code, found["background_in_two_splits"]["level"]) == (0, "warning")
    assert "1 pair of recordings on different sides of the split share" in found["background_in_two_splits"]["text"]
    assert "(kitchen.wav, as meta.csv says)" in found["background_in_two_splits"]["text"]
    assert "same_audio_in_two_splits" not in found


def test_scenes_of_two_sides_that_share_an_event_too_are_copies_and_an_error(scenes, capsys):
    _on_one_background(scenes)
    scenes.rows = [row for row in scenes.rows if row[0] not in "af"]
    scenes.rows += ["a.wav,0.5,1.5,dog", "a.wav,2,3,cat", "f.wav,1.0,2.0,dog", "f.wav,3,3.5,cat"]
    code, found = scenes.check(capsys)
    assert (code, found["same_audio_in_two_splits"]["level"]) == (1, "error")
    assert "background_in_two_splits" not in found


@pytest.mark.parametrize(("factor", "unit"), [(1000, "milliseconds"), (SAMPLE_RATE, "samples")])
def test_times_that_are_no_seconds_are_refused_with_the_option_that_reads_them(scenes, capsys, factor, unit):
    cells = [row.split(",") for row in scenes.rows]
    scenes.rows = [f"{a},{factor * float(b):.0f},{factor * float(c):.0f},{label}" for a, b, c, label in cells]
    scenes.write()
    assert earproof.main(["data", "check", str(scenes.folder)]) == 2
    assert f"are the times in {unit}? Expected seconds; divide them by" in capsys.readouterr().err
    code, found = scenes.check(capsys, "--unit", unit)
    assert (code, list(found)) == (0, ["few_test_groups", "event_balance"])
    assert earproof.main(["data", "list", str(scenes.folder), "--json", "--unit", unit]) == 0
    assert json.loads(capsys.readouterr().out)["labels"][0]["event_seconds"] == 6.0


def test_a_unit_for_plain_clips_is_refused(tmp_path, capsys):
    for label in "ab":
        (tmp_path / label).mkdir()
        soundfile.write(tmp_path / label / "1.wav", _noise(1), SAMPLE_RATE)
    assert earproof.main(["data", "list", str(tmp_path), "--unit", "samples"]) == 2
    assert "is read as plain clips; leave it out" in capsys.readouterr().err


def test_list_counts_events_and_seconds_by_side_and_tells_what_it_left_out(scenes, capsys):
    scenes.samples["g.wav"] = _noise(9)
    scenes.meta.append("g.wav,train,g9,")
    scenes.rows.append("z.wav,0,1,dog")
    scenes.write()
    assert earproof.main(["data", "list", str(scenes.folder)]) == 0
    printed = capsys.readouterr()
    lines = [line.split("  ") for line in printed.out.splitlines()]
    cells = [[cell.strip() for cell in line if cell] for line in lines]
    assert cells == [
        ["label", "clips / groups / events / seconds", "train", "val", "test"],
        ["cat", "6 / 6 / 6 / 6", *["2 / 2 / 2 / 2"] * 3],
        ["dog", "6 / 6 / 6 / 6", *["2 / 2 / 2 / 2"] * 3],
        ["(no event)", "1 / 1 / 0 / 0", "1 / 1 / 0 / 0", *["0 / 0 / 0 / 0"] * 2],
        ["all", "7 / 7 / 12 / 12", "3 / 3 / 4 / 4", *["2 / 2 / 4 / 4"] * 2],
    ]
    assert "not counted: annotations.csv, line 14: no file 'z.wav'" in printed.err


def test_an_action_that_reads_no_annotations_says_so(scenes, capsys):
    scenes.meta = [f"{line.rstrip(',')},cat" for line in scenes.meta]
    scenes.write()
    table = (scenes.folder / "meta.csv").read_text().replace("background", "label").splitlines()
    (scenes.folder / "meta.csv").write_text(
        "\n".join([table[0], *(f"{line[:-3]}{'cat' if n % 2 else 'dog'}" for n, line in enumerate(table[1:]))])
    )
    assert earproof.main(["data", "duplicates", str(scenes.folder)]) == 0
    assert "annotations.csv: data duplicates does not read annotations" in capsys.readouterr().err


def test_the_level_under_an_event_is_that_of_its_samples_alone(tmp_path):
    samples = np.zeros(3 * 8000)
    samples[8000:16000] = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000) + 0.1
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    events = [Segment(onset=on, offset=off, label="dog") for on, off in ((1, 2), (0, 1), (1.5, 9), (0, 2))]
    levels = event_levels(tmp_path / "a.wav", events)
    assert levels[0] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert levels[1] == NOTHING_DBFS
    assert levels[2] < levels[0] - 2
    assert levels[3] < levels[0] - 2


def test_a_recording_of_8_khz_that_is_shorter_than_any_window_is_checked_as_it_is(scenes, capsys):
    scenes.write()
    soundfile.write(scenes.folder / "a.wav", _noise(0, 0.5)[:4000], 8000)
    scenes.rows = ["a.wav,0.1,0.4,dog", "a.wav,0.2,0.4,cat", *(row for row in scenes.rows if row[0] != "a")]
    scenes.samples.pop("a.wav")
    code, found = scenes.check(capsys)
    assert code == 0
    assert "rates" in found
    assert "clips last 0.50 to 4.00 s" in found["lengths"]["text"]


def test_the_level_under_an_event_does_not_depend_on_the_blocks_that_a_recording_comes_in(tmp_path):
    samples = _noise(3, 30) + 0.01
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    (level,) = event_levels(tmp_path / "a.wav", [Segment(onset=1, offset=29, label="dog")])
    assert level == pytest.approx(20 * np.log10(samples[SAMPLE_RATE : 29 * SAMPLE_RATE].std()), abs=1e-3)
