"""A counter and one classifier for each number of sources: first how many sound at once, then which.

Both hear the same window. The counter decides for k sources; then the classifier for k sources says which: its k
highest scores, as k is known, so no threshold is asked. A silent window, one whose level is below a limit, has no
source, and neither model is run. How windows become a clip is in `edge_runtime.counting.count_merge`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.timed_windows import at_rate, timed_windows
from edge_runtime.audio.windows import check_finite, check_waveform
from edge_runtime.counting.count_merge import CountedMerge, CountedScores, nothing_heard, top_labels
from edge_runtime.front_end.frame_cache import FrameCache
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.hears_recordings import HearsRecordings
from metadata.errors import ModelContractError
from metadata.plural import counted
from metadata.spec import FrontEnd

FloatArray = npt.NDArray[np.float32]
COUNT_LABELS = ("one", "two", "three")  # of a counter, in this order; the last may be left out


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
        """Return what is heard in one window, shape (window_length,), float in [-1, 1].

        Raises
        ------
        ValueError, ModelContractError
            As for `Classifier.scores`.
        """
        return CountedStream(self).scores(window, 0)

    def classify(
        self,
        clip: npt.ArrayLike,
        sample_rate: int,
        window_hop: int | None = None,
        tail: str = "pad",
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
        windows = tuple(
            self.classify_windows(
                [waveform], waveform.size, sample_rate, window_hop, tail, silence_below_dbfs=silence_below_dbfs
            )
        )
        for window in windows:
            merged.add(window.heard)
        return CountedClassification(merge, windows, merged.clip())

    def classify_windows(
        self,
        blocks: Iterable[npt.ArrayLike],
        num_samples: int,
        sample_rate: int,
        window_hop: int | None = None,
        tail: str = "pad",
        first: int = 0,
        silence_below_dbfs: float | None = None,
    ) -> Iterator[CountedWindow]:
        """Classify a clip that comes in blocks; see `Classifier.classify_windows`."""
        stream, spec = CountedStream(self), self.counter.spec
        blocks, num_samples = at_rate(blocks, num_samples, sample_rate, spec.sample_rate)
        for cut in timed_windows(blocks, num_samples, spec, window_hop, tail, first, silence_below_dbfs):
            heard = nothing_heard(len(self.counts), len(self.labels))
            if not cut.is_silent:
                heard = stream.scores(cut.samples, cut.start)
            yield CountedWindow(cut.start_seconds, cut.end_seconds, cut.level_dbfs, cut.is_silent, heard)


class CountedStream:
    """The windows of one stream on their way through a pipeline.

    Models whose front end is outside and the same are handed the same features, computed once.
    """

    def __init__(self, pipeline: CountedClassifier) -> None:
        self._pipeline = pipeline
        models = (pipeline.counter, *pipeline.classifiers.values())
        self._caches: dict[FrontEnd, FrameCache] = {model.spec.front_end: FrameCache(model.spec) for model in models}

    def scores(self, window: npt.ArrayLike, start: int) -> CountedScores:
        """Return what is heard in a window that begins at this sample of the stream."""
        pipeline, samples, inputs = self._pipeline, check_finite(window), {}

        def ask(model: Classifier) -> FloatArray:
            front_end = model.spec.front_end
            if front_end not in inputs:
                inputs[front_end] = self._caches[front_end].model_input(samples, start)
            model.load_input(inputs[front_end])
            model.invoke()
            return model.read_scores()

        count_scores = ask(pipeline.counter)
        count = 1 + int(count_scores.argmax())
        scores = ask(pipeline.classifiers[count])
        return CountedScores(count, count_scores, top_labels(scores, pipeline.labels, count), scores)


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
    """Refuse models that hear different windows, say different labels, or cannot name as many as they are asked for."""
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
