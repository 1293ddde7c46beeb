"""The recipe `auto`: 8 bits with fixed ranges wherever they hold, something wider for the layers that lose too much.

Wider is first `dynamic_int8`: the weights stay in 8 bits, the activations between layers are float32 and get their
range anew in each window, which costs next to nothing. A layer for which that is not enough stays float32.
A layer here is one operation with weights and what follows it up to the next. Everything is judged on validation
windows; the test side stays unseen until the finished file is proven. What just holds on the windows that it was chosen
by may fail on others: so auto aims at half of the recipe's tolerance. It has to hold on XNNPACK and on
TensorFlow Lite's built-in kernels, which round differently and which some loaders compute with. Of a model with frame
scores the decisions of frames have to hold as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from convert.graph.float_scope import RecipeUnfitError, layer_groups
from convert.graph.layer_name import layer_name
from convert.graph.model_graph import Operation, normalised, read_graph
from convert.graph.model_scores import to_tensor, window_outputs
from convert.graph.rewrite_check import has_weights
from convert.quantization.calibration import CalibrationSet
from convert.quantization.quantize import measured_for, quantize, recipe_scope
from convert.recipes import Recipe
from edge_runtime.model.interpreter import open_interpreter
from edge_runtime.parity.file_parity import BUILTIN_KERNELS
from edge_runtime.parity.levels import ParityResult, on_other_kernels, recipe_parity
from metadata.plural import counted
from metadata.signed import signed
from train.batches.window_rows import WindowRows

NUM_TIMED_RUNS = 40  # of each file, in turn with the other, for what a kept layer costs
AIMED_SHARE = 0.5  # of the windows that the tolerance lets be decided differently
DYNAMIC, FLOAT = "dynamic_int8", "float32"
Group = tuple[Operation, ...]
Kept = dict[int, str]  # place of a layer -> DYNAMIC or FLOAT; the others have fixed ranges


@dataclass(frozen=True, kw_only=True)
class ValidationWindows:
    """Windows that decide what is kept wider.

    Attributes
    ----------
    windows : np.ndarray or WindowRows
        float32 (n, ...), as the model takes them.
    truth : np.ndarray
        int64 (n,), position of the label; bool (n, n_labels) for a sigmoid model.
    groups : np.ndarray
        str (n,), the clip's group; (n, k) of mixtures.
    thresholds : tuple of float, optional
        Of a sigmoid model, whose decision is the set of labels that reach theirs.
    frame_thresholds : tuple of float, optional
        Of a model with frame scores, in a frame.
    """

    windows: np.ndarray | WindowRows
    truth: np.ndarray
    groups: np.ndarray
    thresholds: tuple[float, ...] | None = None
    frame_thresholds: tuple[float, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class KeptLayer:
    """One layer that is not as int8 has it, and what that costs and buys against the same file with it as int8.

    Attributes
    ----------
    layer, operation : str
        Name of the layer and of its operation with weights.
    kept_as : str
        "dynamic_int8" or "float32".
    alone_snr_db : float
        SNR of the scores with only this layer in 8 bits: how the layers were ranked.
    cost_bytes : int
    cost_ms : float
        Difference of the median invoke latencies on one thread; small ones are noise.
    agreement_without, agreement_with : float
        Share of validation windows decided as float does, by those of the kernels that agree less.
    accuracy_without, accuracy_with : float
        On the validation windows, by the kernels that are right less often.
    """

    layer: str
    operation: str
    kept_as: str
    alone_snr_db: float
    cost_bytes: int
    cost_ms: float
    agreement_without: float
    agreement_with: float
    accuracy_without: float
    accuracy_with: float


@dataclass(frozen=True, kw_only=True)
class MixedPrecision:
    """A file of 8 bits and wider layers, and how it was found.

    Attributes
    ----------
    model : bytes
    kept : tuple of KeptLayer
        In the order of execution; empty where plain int8 holds.
    num_layers : int
        That the recipe would take.
    before, after : ParityResult
        Plain int8 and the file found against float32, on the validation windows; their tolerance is what was aimed
        at.
    before_on_builtin, after_on_builtin : ParityResult
        The same two files on the built-in kernels.
    frames : tuple of (ParityResult, ParityResult)
        Of frames, before and after, on XNNPACK and on the built-in kernels; empty for a model without frame scores.
    exceptions : dict of str to str
        As `quantize` takes them: the kept layers, operation by operation.
    """

    model: bytes
    kept: tuple[KeptLayer, ...]
    num_layers: int
    before: ParityResult
    after: ParityResult
    before_on_builtin: ParityResult
    after_on_builtin: ParityResult
    exceptions: dict[str, str]
    frames: tuple[tuple[ParityResult, ParityResult], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what was found for JSON, without the model."""
        return {
            "kept": [asdict(layer) for layer in self.kept],
            "num_layers": self.num_layers,
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "before_on_builtin": self.before_on_builtin.as_dict(),
            "after_on_builtin": self.after_on_builtin.as_dict(),
            "frames": [[one.as_dict() for one in pair] for pair in self.frames],
        }

    def sentence(self) -> str:
        """Return in a sentence what is kept wider."""
        if not self.kept:
            return "Every layer holds in 8 bits."
        kept = ", ".join(f"{layer.layer} {layer.kept_as}" for layer in self.kept)
        return f"Of {counted(self.num_layers, 'layer')} in 8 bits these are kept wider: {kept}."


def search_mixed_precision(
    float_model: bytes,
    recipe: Recipe,
    calibration: CalibrationSet,
    validation: ValidationWindows,
    tell: Callable[[str], None] = print,
    trained_ranges: Mapping[str, tuple[float, float]] | None = None,
) -> MixedPrecision:
    """Quantize to 8 bits, as few layers wider and as little wider as make the recipe's tolerance hold with room.

    Parameters
    ----------
    float_model : bytes
        Without metadata.
    recipe : Recipe
        `auto`, with its tolerance, of whose decisions `AIMED_SHARE` is used.
    calibration : CalibrationSet
        For the ranges.
    validation : ValidationWindows
        Neither trained nor tested on.
    tell : callable
        Called with a line where something has to be kept wider.
    trained_ranges : mapping of str to (float, float), optional
        As for `quantize`.

    Raises
    ------
    RecipeUnfitError
        The model has too few layers for 8 bits, or not one of them holds.
    ValueError
        Windows do not fit the model.

    Notes
    -----
    Where every layer has to stay float32, there is no file to be named after 8 bits: that is a RecipeUnfitError too.
    First each layer alone is put into 8 bits: how far the scores move then ranks the layers. In that order they become
    dynamic_int8, and if all are and it is not enough, float32, until the aim is reached. Then each is tried narrower
    again, those that moved the scores least first, since layers that lose together need not all be kept, until none
    can be. The same arguments give the same bytes: time is only reported.
    """
    bench = _Bench(float_model, recipe, calibration, validation, trained_ranges)
    kept = {} if bench.holds({}) else bench.keep_until_it_holds()
    if all(kept.get(place) == FLOAT for place in bench.weighted_layers()):
        raise RecipeUnfitError(
            f"not one of {counted(len(bench.weighted_layers()), 'layer')} may have 8 bits: with any of them too few "
            "decisions on "
            f"the validation windows stay those of float32, and the file would be float32 itself. Take that"
        )
    found = MixedPrecision(
        model=bench.model(kept),
        kept=tuple(bench.price(place, kept) for place in sorted(kept)),
        num_layers=len(bench.layers),
        before=bench.parity({}),
        after=bench.parity(kept),
        before_on_builtin=bench.parity({}, use_xnnpack=False),
        after_on_builtin=bench.parity(kept, use_xnnpack=False),
        exceptions=bench.exceptions(kept),
        frames=tuple(
            (before, after)
            for use_xnnpack in (True, False)
            for before in bench.parities({}, use_xnnpack)[1:]
            for after in bench.parities(kept, use_xnnpack)[1:]
        ),
    )
    if kept:
        tell(format_mixed_precision(found.as_dict()))
    return found


def format_mixed_precision(found: dict[str, Any]) -> str:
    """Return what is kept wider, its cost and its gain, for people; `found` is of `MixedPrecision.as_dict`."""
    before, after, before_builtin, after_builtin = (
        found[name]["measures"].get("decision_agreement", 0.0)
        for name in ("before", "after", "before_on_builtin", "after_on_builtin")
    )
    aim = found["after"]["tolerance"]["decision_agreement"]
    if not found["kept"]:
        return (
            f"8 bits hold everywhere ({after:.1%} of {counted(found['after']['num_windows'], 'validation window')} "
            "agree, "
            f"{after_builtin:.1%} on {BUILTIN_KERNELS}, where {aim:.1%} was aimed at{_of_frames(found)})."
        )
    layers = [
        f"{layer['layer']} {layer['kept_as']} ({signed(layer['cost_bytes'] / 1000, 0)} kB, "
        f"{signed(layer['cost_ms'], 2)} ms, "
        f"agreement {layer['agreement_without']:.1%} -> {layer['agreement_with']:.1%}, "
        f"accuracy {layer['accuracy_without']:.1%} -> {layer['accuracy_with']:.1%})"
        for layer in found["kept"]
    ]
    return (
        f"{len(layers)} of {counted(found['num_layers'], 'layer')} are kept wider: {', '.join(layers)}. In all the "
        "agreement on "
        f"{counted(found['after']['num_windows'], 'validation window')} goes from {before:.1%} to {after:.1%}, on "
        f"{BUILTIN_KERNELS} from {before_builtin:.1%} to {after_builtin:.1%}, where {aim:.1%} was aimed at"
        f"{_of_frames(found)}."
    )


def _of_frames(found: dict[str, Any]) -> str:
    """The agreement of frames as text; '' for a model without frame scores, and for reports before there were any."""
    pairs = found.get("frames") or []
    shares = [[one["measures"]["decision_agreement"] for one in pair] for pair in pairs]
    texts = [f"{before:.1%} to {after:.1%}" for before, after in shares]
    between = f", on {BUILTIN_KERNELS} from "
    return f"; of frames from {between.join(texts)}" if texts else ""


class _Bench:
    """Tries which layers are kept wider; every try is made once."""

    def __init__(
        self,
        float_model: bytes,
        recipe: Recipe,
        calibration: CalibrationSet,
        validation: ValidationWindows,
        trained_ranges: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        float_model = normalised(float_model)
        self._graph = graph = read_graph(float_model)
        self.float_model, self.recipe, self.validation = float_model, recipe, validation
        self._aim = {
            "decision_agreement": 1.0 - AIMED_SHARE * (1.0 - recipe.min_decision_agreement),
            "accuracy_loss": recipe.max_accuracy_loss,
        }
        self.layers: tuple[Group, ...] = layer_groups(graph, recipe_scope(recipe, graph))
        self._ranges = measured_for(float_model, recipe, calibration)
        self._trained_ranges = trained_ranges
        self._float_outputs = window_outputs(float_model, validation.windows)
        self._tried: dict[tuple[bool, tuple[tuple[int, str], ...]], tuple[ParityResult, ...]] = {}

    def model(self, kept: Kept) -> bytes:
        """Return the file with the layers at these places kept wider."""
        return quantize(
            self.float_model,
            self.recipe,
            kept=self.exceptions(kept),
            ranges=self._ranges,
            trained_ranges=self._trained_ranges,
        )

    def exceptions(self, kept: Kept) -> dict[str, str]:
        """Return the choice operation by operation, as `quantize` takes it."""
        return {operation.outputs[0]: form for place, form in kept.items() for operation in self.layers[place]}

    def weighted_layers(self) -> list[int]:
        """Return the places of the layers that have weights."""
        return [place for place, group in enumerate(self.layers) if any(has_weights(one, self._graph) for one in group)]

    def holds(self, kept: Kept) -> bool:
        """Whether the aim is reached by XNNPACK and, asked only where it is, by the built-in kernels."""
        return all(one.passed for use_xnnpack in (True, False) for one in self.parities(kept, use_xnnpack))

    def parity(self, kept: Kept, use_xnnpack: bool = True) -> ParityResult:
        """Compare the file, by XNNPACK or the built-in kernels, with float32 on the validation windows."""
        return self.parities(kept, use_xnnpack)[0]

    def parities(self, kept: Kept, use_xnnpack: bool = True) -> tuple[ParityResult, ...]:
        """Return the comparison of windows and, of a model with frame scores, that of their frames."""
        key = use_xnnpack, tuple(sorted(kept.items()))
        if key not in self._tried:
            found = self._compared(window_outputs(self.model(kept), self.validation.windows, use_xnnpack))
            self._tried[key] = found if use_xnnpack else tuple(on_other_kernels(one, BUILTIN_KERNELS) for one in found)
        return self._tried[key]

    def _compared(self, outputs: tuple[np.ndarray, ...]) -> tuple[ParityResult, ...]:
        """Compare scores, and frame scores, with those of float32."""
        validation, name = self.validation, "validation windows against float32"
        truth, groups, thresholds = validation.truth, validation.groups, validation.thresholds
        expected = self._float_outputs[0]
        found = [recipe_parity(expected, outputs[0], truth, groups, self._aim, name, thresholds)]
        if validation.frame_thresholds is not None:
            width = expected.shape[1]
            wanted, given = (one[1].reshape(-1, width) for one in (self._float_outputs, outputs))
            frames = f"frames of {name}"
            found.append(recipe_parity(wanted, given, None, None, self._aim, frames, validation.frame_thresholds))
        return tuple(found)

    def keep_until_it_holds(self) -> Kept:
        """Return the places of the layers that are kept wider, and how."""
        worst_first = sorted(range(len(self.layers)), key=lambda place: (self.alone_snr_db(place), place))
        kept = self._widen(worst_first)
        while (narrowed := self._narrow(kept, worst_first)) != kept:
            kept = narrowed  # what was needed beside a wider layer may not be beside a narrower one
        return dict(sorted(kept.items()))

    def _narrow(self, kept: Kept, worst_first: list[int]) -> Kept:
        """Return the choice with each layer that allows it narrower, tried one after the other."""
        for place in reversed(worst_first):
            for narrower in self._narrower(kept, place):
                if self.holds(narrower):
                    kept = narrower
                    break
        return kept

    def _widen(self, worst_first: list[int]) -> Kept:
        """Return the first choice that holds; everything float32 is float32 itself and always does."""
        kept: Kept = {}
        for form in (DYNAMIC, FLOAT):
            for place in worst_first:
                kept = {**kept, place: form}
                if self.holds(kept):
                    return kept
        return kept

    @staticmethod
    def _narrower(kept: Kept, place: int) -> list[Kept]:
        """Return the choices that have one layer narrower, the narrowest first."""
        if place not in kept:
            return []
        without = {other: form for other, form in kept.items() if other != place}
        return [without, {**without, place: DYNAMIC}] if kept[place] == FLOAT else [without]

    def alone_snr_db(self, place: int) -> float:
        """Return the SNR of the scores with this layer in 8 bits and all others float32."""
        return self.parity({other: FLOAT for other in range(len(self.layers)) if other != place}).measures["snr_db"]

    def price(self, place: int, kept: Kept) -> KeptLayer:
        """Return what one kept layer costs and buys."""
        fewer = self._narrower(kept, place)[0]
        with_it, without = self.model(kept), self.model(fewer)
        without_it, with_all = self._least(fewer), self._least(kept)
        with_ms, without_ms = _median_ms((with_it, without), self.validation.windows)
        head = self.layers[place][0]
        return KeptLayer(
            layer=layer_name(head),
            operation=head.name,
            kept_as=kept[place],
            alone_snr_db=self.alone_snr_db(place),
            cost_bytes=len(with_it) - len(without),
            cost_ms=with_ms - without_ms,
            agreement_without=without_it["decision_agreement"],
            agreement_with=with_all["decision_agreement"],
            accuracy_without=without_it["accuracy"],
            accuracy_with=with_all["accuracy"],
        )

    def _least(self, kept: Kept) -> dict[str, float]:
        """Return agreement and accuracy by the kernels that have less of it."""
        found = [self.parity(kept, use_xnnpack).measures for use_xnnpack in (True, False)]
        return {name: min(measures[name] for measures in found) for name in ("decision_agreement", "accuracy")}


def _median_ms(models: tuple[bytes, ...], windows: np.ndarray | WindowRows) -> list[float]:
    """Return the median invoke latency of each model, run in turn so that both see the same machine."""
    interpreters = [open_interpreter(model) for model in models]
    samples: list[list[float]] = [[] for _ in models]
    for run in range(NUM_TIMED_RUNS):
        for interpreter, taken in zip(interpreters, samples, strict=True):
            source = interpreter.get_input_details()[0]
            interpreter.set_tensor(source["index"], to_tensor(windows[run % len(windows)], source))
            begin = time.perf_counter_ns()
            interpreter.invoke()
            taken.append((time.perf_counter_ns() - begin) / 1e6)
    return [float(np.median(taken)) for taken in samples]
