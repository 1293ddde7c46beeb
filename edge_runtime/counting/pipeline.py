"""A counter and one classifier for each number of sources: first how many sound at once, then which.

Both hear the same window. The counter decides for k sources; then the classifier for k sources says which: its k
highest scores, as k is known, so no threshold is asked. A silent window, one whose level is below a limit, has no
source, and neither model is run. How windows become a clip is in `edge_runtime.counting.count_merge`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.timed_windows import at_rate, cut_stream
from edge_runtime.audio.windows import DEFAULT_TAIL, Windowing, check_finite, check_waveform
from edge_runtime.counting.count_merge import CountedMerge, CountedScores, no_sources, top_labels
from edge_runtime.front_end.frame_cache import FrameCache
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.hears_recordings import ONE_AFTER_THE_OTHER, HearsRecordings
from metadata.errors import ModelContractError
from metadata.plural import counted
from metadata.spec import FrontEnd

FloatArray = npt.NDArray[np.float32]
COUNT_LABELS = ("one", "two", "three")  # of a counter, in this order; the last may be left out


class CountedHearing(NamedTuple):
    """What the pipeline says about a stretch of a stream; the fields are those of `CountedWindow`."""

    level_dbfs: float
    is_silent: bool
    heard: CountedScores


@dataclass(frozen=True)
class CountedWindow:
    """What the pipeline says about one window, which ends where the window or the clip ends."""

    start_seconds: float
    end_seconds: float
    level_dbfs: float  # of the samples that are there
    is_silent: bool
    heard: CountedScores


@dataclass(frozen=True)
class CountedClassification:
    """What the pipeline says about a clip.

    Attributes
    ----------
    merge : {"mean", "union", "maximum"}
    windows : tuple of CountedWindow
    clip : CountedScores
        Count 0 and no labels where all is silent.
    """

    merge: str
    windows: tuple[CountedWindow, ...]
    clip: CountedScores


class CountedClassifier(HearsRecordings[CountedWindow]):
    """A counter and one classifier for each of its counts.

    Parameters
    ----------
    counter : Classifier
        softmax over `COUNT_LABELS`, or the first two of them.
    classifiers : mapping of int to Classifier
        For each number of sources, 1 and on; one classifier may stand for several.

    Attributes
    ----------
    counter : Classifier
    classifiers : dict of int to Classifier
    labels : tuple of str
        Those of the classifiers.
    counts : tuple of str
        Those of the counter.

    Raises
    ------
    ModelContractError
        A counter with other labels, a count without a classifier or a classifier without a count, or models that hear
        other windows or have other labels than each other, or a softmax classifier for several sources.

    Notes
    -----
    Use it from one thread at a time, as a `Classifier`.
    """

    def __init__(self, counter: Classifier, classifiers: Mapping[int, Classifier]) -> None:
        _check_counter(counter)
        _check_counts(counter, classifiers)
        _check_agreement(counter, classifiers)
        self.counter, self.classifiers = counter, dict(sorted(classifiers.items()))
        self.counts = counter.spec.labels
        self.labels = classifiers[1].spec.labels

    def scores(self, window: npt.ArrayLike) -> CountedScores:
        """Return count and labels of one window, shape (window_length,), float in [-1, 1].

        Raises
        ------
        ValueError, ModelContractError
            As for `Classifier.scores`.
        """
        return CountedStream(self).hear(check_finite(window)).heard

    def classify(
        self,
        clip: npt.ArrayLike,
        sample_rate: int,
        window_hop: int | None = None,
        tail: str = DEFAULT_TAIL,
        merge: str = "union",
        silence_below_dbfs: float | None = None,
    ) -> CountedClassification:
        """Classify a clip window by window; parameters as for `Classifier.classify`.

        Raises
        ------
        ValueError
            As for `Classifier.classify`.
        """
        merged = CountedMerge(merge, len(self.counts), self.labels)
        waveform = check_waveform(clip)
        windowing = Windowing(hop=window_hop, tail=tail, silence_below_dbfs=silence_below_dbfs)
        windows = tuple(self.classify_windows([waveform], waveform.size, sample_rate, windowing))
        for window in windows:
            merged.add(window.heard)
        return CountedClassification(merge, windows, merged.clip())

    def classify_windows(
        self,
        blocks: Iterable[npt.ArrayLike],
        num_samples: int,
        sample_rate: int,
        windowing: Windowing = ONE_AFTER_THE_OTHER,
        first: int = 0,
    ) -> Iterator[CountedWindow]:
        """Classify a clip that comes in blocks; see `Classifier.classify_windows`."""
        stream, spec = CountedStream(self), self.counter.spec
        blocks, num_samples = at_rate(blocks, num_samples, sample_rate, spec.sample_rate)
        for samples, start, stop in cut_stream(blocks, num_samples, spec.window_length, windowing, first):
            heard = stream.hear(samples, start, stop, windowing.silence_below_dbfs)
            yield CountedWindow(start / spec.sample_rate, stop / spec.sample_rate, *heard)


class CountedStream:
    """The windows of one stream on their way through a pipeline.

    Models whose front end is outside and the same share its frames.
    """

    def __init__(self, pipeline: CountedClassifier) -> None:
        self._pipeline = pipeline
        models = (pipeline.counter, *pipeline.classifiers.values())
        self._frames: dict[FrontEnd, FrameCache] = {model.spec.front_end: FrameCache(model.spec) for model in models}

    def hear(
        self, samples: FloatArray, start: int = 0, stop: int | None = None, silence_below_dbfs: float | None = None
    ) -> CountedHearing:
        """Return count and labels of one window of the stream; parameters as for `Classifier.hear`."""
        pipeline = self._pipeline
        counter = pipeline.counter
        counts = counter.hear(
            samples, start, stop, frames=self._frames[counter.spec.front_end], silence_below_dbfs=silence_below_dbfs
        )
        if counts.is_silent:
            nothing = no_sources(len(pipeline.counts), len(pipeline.labels))
            return CountedHearing(counts.level_dbfs, True, nothing)
        count = 1 + int(counts.scores.argmax())
        asked = pipeline.classifiers[count]
        scores = asked.hear(samples, start, stop, frames=self._frames[asked.spec.front_end]).scores
        named = top_labels(scores, pipeline.labels, count)
        return CountedHearing(counts.level_dbfs, False, CountedScores(count, counts.scores, named, scores))


def _check_counter(counter: Classifier) -> None:
    """Refuse a counter that does not count."""
    spec = counter.spec
    if len(spec.labels) < 2 or spec.labels != COUNT_LABELS[: len(spec.labels)]:
        raise ModelContractError(
            f"the counter {spec.name} has the labels {', '.join(spec.labels)}; "
            "expected one, two and maybe three, in this order: is it a classifier and no counter?"
        )
    if spec.activation != "softmax":
        raise ModelContractError(f"the counter {spec.name} has {spec.activation} scores; expected softmax, one count")


def _check_counts(counter: Classifier, classifiers: Mapping[int, Classifier]) -> None:
    """Refuse other classifiers than one for each count."""
    for count, word in enumerate(counter.spec.labels, start=1):
        if count not in classifiers:
            raise ModelContractError(
                f"the counter {counter.spec.name} can say {word!r}, but no classifier was given for {count} "
                f"source{'s' if count > 1 else ''}; expected one for each of {', '.join(counter.spec.labels)}"
            )
    further = sorted(set(classifiers) - set(range(1, 1 + len(counter.spec.labels))))
    if further:
        raise ModelContractError(
            f"a classifier was given for {further[0]} sources, but the counter {counter.spec.name} says only "
            f"{', '.join(counter.spec.labels)}; leave it out"
        )


def _check_agreement(counter: Classifier, classifiers: Mapping[int, Classifier]) -> None:
    """Refuse models with different windows or labels, or that cannot name as many as they are asked for."""
    first = classifiers[1].spec
    for count, classifier in sorted(classifiers.items()):
        spec = classifier.spec
        for name, unit in (("sample_rate", "Hz"), ("window_length", "samples")):
            here, there = getattr(counter.spec, name), getattr(spec, name)
            if here != there:
                raise ModelContractError(
                    f"the counter {counter.spec.name} has a {name} of {here} {unit} and {spec.name}, for {count}, "
                    f"of {there} {unit}; expected the same, as both hear one window"
                )
        if spec.labels != first.labels:
            raise ModelContractError(
                f"{first.name}, for 1, has the labels {', '.join(first.labels)} and {spec.name}, for {count}, "
                f"{', '.join(spec.labels)}; expected the same in the same order"
            )
        if count > len(spec.labels):
            raise ModelContractError(
                f"{spec.name}, for {count}, has {counted(len(spec.labels), 'label')}; expected {count} or more"
            )
        if count > 1 and spec.activation == "softmax":
            raise ModelContractError(
                f"{spec.name}, for {count}, has softmax scores, which tell one sound; expected sigmoid for {count} at "
                "once: are the classifiers swapped?"
            )
