import numpy as np

from train.checks.duplicates import find_duplicates
from train.checks.fingerprint import Fingerprint, common_stretch, fingerprint
from train.checks.fingerprint_meetings import LEAST_FRAMES, meetings


def printed(words):
    return Fingerprint(np.asarray(words, np.uint32), np.ones(len(words), bool))


def random_words(count, seed):
    return np.random.default_rng(seed).integers(0, 2**32, count, dtype=np.uint32)


def test_two_recordings_meet_where_they_are_one_and_at_that_distance():
    words = random_words(200, 0)
    prints = [printed(words), printed(random_words(200, 1)), printed(words[50:150])]

    assert meetings(prints) == {(0, 2): {-50}}


def test_a_chance_meeting_of_one_word_is_none():
    one, other = random_words(200, 0), random_words(200, 1)
    other[77] = one[33]

    assert meetings([printed(one), printed(other)]) == {}


def test_what_is_shorter_than_a_second_meets_nothing():
    words = random_words(LEAST_FRAMES - 1, 0)

    assert meetings([printed(words), printed(words)]) == {}
    assert meetings([]) == {}


def test_those_that_others_stand_for_are_left_out():
    words = printed(random_words(100, 0))

    assert meetings([words, words, words], left_out={1}) == {(0, 2): {0}}


def test_the_pairs_of_a_word_grow_with_its_places_and_not_with_their_square():
    """Fifty copies would make 1,225 pairs; each is linked with the next ones, which joins them all."""
    words = printed(random_words(100, 0))
    found = meetings([words] * 50)

    assert len(found) == sum(min(8, 49 - place) for place in range(50))
    reached = {0}
    for first, second in sorted(found):
        reached |= {second} if first in reached else set()
    assert reached == set(range(50))


def test_a_word_that_stands_everywhere_points_nowhere():
    hum = printed(np.full(100, 12345, np.uint32))

    assert meetings([hum] * 3) == {}


def test_of_hours_in_common_the_best_minutes_are_compared(monkeypatch):
    one, other = random_words(40_000, 0), random_words(40_000, 1)
    other[20_000:30_000] = one[20_000:30_000]
    (first, last), theirs = common_stretch(printed(one), printed(other), 0)

    assert (first, last) == theirs
    assert 20_000 * 256 <= first < last <= 30_000 * 256 + 4096
    assert last - first <= 301 * 8_000


def test_only_what_is_compared_is_loaded(monkeypatch):
    rng = np.random.default_rng(0)
    sound = rng.standard_normal(20 * 8_000).astype(np.float32) * np.repeat(rng.uniform(0.01, 0.2, 200), 800)
    sound = sound.astype(np.float32)
    waveforms, asked = [sound, sound[5 * 8_000 : 9 * 8_000]], []

    def load(place, first, last):
        asked.append((place, last - first))
        return waveforms[place][first:last]

    (pair,) = find_duplicates("ab", [fingerprint(one) for one in waveforms], load)
    assert pair.correlation > 0.9
    assert max(length for _, length in asked) < 5 * 8_000
