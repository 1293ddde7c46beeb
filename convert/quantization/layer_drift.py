"""Where a quantized file drifts from its float one: every layer's output compared on the same windows.

A layer here is one operation of the reference graph, and its output is one tensor; of a written-out recurrent layer
only what it hands on. The candidate's integers are compared as the numbers they stand for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.graph.float_scope import WEIGHTED
from convert.graph.layer_name import named_layer
from convert.graph.model_graph import ModelGraph, Operation, read_graph
from convert.graph.model_scores import check_windows, from_tensor, to_tensor
from convert.graph.recurrences import inner_steps
from convert.graph.rewrite_check import CONVERSIONS
from convert.quantization.quantize import with_outputs
from edge_runtime.model.interpreter import open_interpreter
from edge_runtime.tables import markdown_table
from metadata.atomic_file import write_atomically
from metadata.errors import ModelContractError
from metadata.packing.packed_model import strip_metadata
from metadata.signed import signed
from train.batches.window_rows import WindowRows

HEADER = ("layer", "operation", "stored as", "SNR (dB)", "lost here (dB)", "cosine", "max abs error", "bad")
MAX_WINDOWS = 30  # a layer's SNR moves by some tenths of a dB with more
NUM_MARKED = 3  # layers in another colour
POOR_DB = 20.0  # the error is a tenth of the output
CLEAN_DB = 98.0  # SNR of 16-bit audio: what an exact input counts as when a loss is counted in dB
KEY = (
    "SNR: the power of a layer's output in float over that of the difference to it here, in dB. Higher is better. At "
    f"{POOR_DB:g} dB the error is a tenth of the output; what is below is poor. Lost here: how much lower it is than "
    f"that of the layer's worst input. Bad: poor, or one of the {NUM_MARKED} that lose most of their own, which "
    "are red in the picture. Cosine: 1 where the outputs differ by a factor at most. Decisions are judged by parity, "
    "not by this, which shows where to look."
)


@dataclass(frozen=True, kw_only=True)
class LayerDrift:
    """How far one layer's output is from the reference.

    Attributes
    ----------
    position : int
        In the reference's order of execution.
    layer : str
        Name of the Keras layer, as far as the tensors' names tell it.
    tensor : str
        Full name of the output tensor in the reference.
    operation : str
        The schema's name, such as CONV_2D.
    dtype : str
        Of the candidate's tensor.
    snr_db : float
        Power of the reference over power of the difference, all windows together; infinite where they are equal.
    lost_db : float
        How much lower that is than for the worst of the layer's inputs; 0 where the layer loses nothing of its own.
        Inputs without any error count as 16-bit audio does, 98 dB.
    cosine_similarity, max_abs_error : float
    """

    position: int
    layer: str
    tensor: str
    operation: str
    dtype: str
    snr_db: float
    lost_db: float
    cosine_similarity: float
    max_abs_error: float

    def as_dict(self) -> dict[str, Any]:
        """Return the drift for JSON, which knows no infinity: an infinite SNR becomes None."""
        return {**asdict(self), "snr_db": self.snr_db if math.isfinite(self.snr_db) else None}


def compare_layers(reference: bytes, candidate: bytes, windows: np.ndarray | WindowRows) -> list[LayerDrift]:
    """Compare a candidate with its float reference, layer by layer.

    Parameters
    ----------
    reference, candidate : bytes
        Model files of one input and one output, the reference in float32.
    windows : np.ndarray or WindowRows
        float32 (n_windows, ...), real input of the model; the first `MAX_WINDOWS` spread over them are used.

    Returns
    -------
    list of LayerDrift
        In the order of execution, the input before all; `worst_first` sorts them. A reference layer that the candidate
        has not is left out.

    Raises
    ------
    ValueError
        No windows, windows of another size, or not a layer in common.
    ModelContractError
        Not a model.
    """
    reference, candidate = strip_metadata(reference), strip_metadata(candidate)
    expected, found = read_graph(reference), read_graph(candidate)
    steps = inner_steps(expected, WEIGHTED)  # thousands, of which a reader learns no more than from what they lead to
    pairs = [pair for pair in match_layers(expected, found) if pair[0].outputs[0] not in steps]
    kept = _spread(windows, int(np.prod(expected.input.shape)))
    ours = _Probe(reference, [operation.outputs[0] for operation, _ in pairs])
    theirs = _Probe(candidate, [name for _, name in pairs])
    fed = Operation(name="INPUT", version=1, is_custom=False, inputs=(), outputs=(expected.input.name,))
    operations = [fed, *[operation for operation, _ in pairs]]
    sums = [_Sums() for _ in operations]
    for window in kept:
        for total, one, other in zip(sums, ours.values(window), theirs.values(window), strict=True):
            total.add(one, other)
    return _drifts(operations, sums, theirs.dtypes)


def match_layers(reference: ModelGraph, candidate: ModelGraph) -> list[tuple[Operation, str]]:
    """Return the reference's operations with the name of the candidate's tensor that stands for their output.

    Raises
    ------
    ModelContractError
        They have no layer in common.

    Notes
    -----
    By name, as the quantizer keeps names, where a name is the tensor's own in both files and the two are of one size.
    Where that does not find all (another converter, or names that are shared or missing) and the operations are the
    same but for QUANTIZE and DEQUANTIZE, by position.
    """
    ours, theirs = (
        [item for item in graph.operations if item.name not in CONVERSIONS] for graph in (reference, candidate)
    )
    size, other_size = (
        {tensor.name: math.prod(tensor.shape) for tensor in graph.tensors} for graph in (reference, candidate)
    )
    named = {tensor.name for tensor in candidate.tensors if tensor.is_named}
    made = {name for item in candidate.operations for name in item.outputs} & named
    pairs = [(item, item.outputs[0]) for item in reference.operations if item.outputs[0] in made]
    if len(pairs) < len(ours) and [item.name for item in ours] == [item.name for item in theirs]:
        pairs = [(item, other.outputs[0]) for item, other in zip(ours, theirs, strict=True)]
    pairs = [(item, name) for item, name in pairs if size[item.outputs[0]] == other_size[name]]
    if not pairs:
        raise ModelContractError(
            "the two files have not a layer in common, by name or by position; expected a float model and a quantized "
            "version of it"
        )
    return pairs


def worst_first(drifts: Sequence[LayerDrift]) -> list[LayerDrift]:
    """Return the layers by their SNR, the worst first; among equal ones first what lost it."""
    return sorted(drifts, key=lambda drift: (drift.snr_db, -drift.lost_db, drift.position))


def format_drift(drifts: Sequence[LayerDrift]) -> str:
    """Return the layers in the order of execution, as the picture has them, as an aligned table with a key below."""
    losing = losing_most(drifts)
    rows = [HEADER, *[_row(drift, drift.position in losing) for drift in drifts]]
    worst = tell_worst(drifts)
    return "\n".join([*markdown_table(rows), "", f"The file {worst}.", "", KEY])


def losing_most(drifts: Sequence[LayerDrift]) -> set[int]:
    """Return the positions of the layers that lose most of their own; of none where nothing is lost."""
    losing = sorted(drifts, key=lambda drift: -drift.lost_db)[:NUM_MARKED]
    return {drift.position for drift in losing if drift.lost_db > 0.0}


def tell_worst(drifts: Sequence[LayerDrift]) -> str:
    """Return where the worst layer is and what its number says, such as "drifts most in conv_2 (CONV_2D): ..."."""
    worst = worst_first(drifts)[0]
    if worst.snr_db == math.inf:
        return "drifts nowhere: every layer puts out what float does"
    snr = signed(worst.snr_db, 1, plus=False)
    rank = f"below {POOR_DB:g} dB, poor" if worst.snr_db < POOR_DB else f"poor is below {POOR_DB:g} dB"
    return (
        f"drifts most in {worst.layer} ({worst.operation}): its output has an SNR of {snr} dB against "
        f"float (higher is better, {rank})"
    )


def plot_drift(drifts: Sequence[LayerDrift], path: Path, title: str) -> None:
    """Write the SNR of every layer in the order of execution as PNG, those that lose most of their own marked."""
    from train.pictures.plots import draw_bars

    losing = losing_most(drifts)
    draw_bars(
        [f"{drift.layer} ({drift.operation}, {drift.dtype})" for drift in drifts],
        [min(drift.snr_db, CLEAN_DB) for drift in drifts],
        [drift.position in losing for drift in drifts],
        path,
        title,
        f"SNR of the output against float (dB, higher is better; below {POOR_DB:g} poor; {CLEAN_DB:.0f}: as 16 bits or "
        "better)\nred: loses most of its own",
    )


def write_drift(
    reference: bytes, candidate: bytes, windows: np.ndarray | WindowRows, folder: Path, stem: str
) -> list[LayerDrift]:
    """Compare two files and write `<stem>.md`, `<stem>.json` (the worst first) and `<stem>.png` into a folder."""
    drifts = compare_layers(reference, candidate, windows)
    folder.mkdir(parents=True, exist_ok=True)
    layers = [one.as_dict() for one in worst_first(drifts)]
    document = {"num_windows": min(len(windows), MAX_WINDOWS), "key": KEY, "layers": layers}
    write_atomically(folder / f"{stem}.json", (json.dumps(document, indent=2) + "\n").encode())
    write_atomically(folder / f"{stem}.md", (format_drift(drifts) + "\n").encode())
    plot_drift(drifts, folder / f"{stem}.png", f"{stem} against float, layer by layer")
    return drifts


class _Sums:
    """Sums over windows from which SNR, cosine and the largest error follow."""

    def __init__(self) -> None:
        self.signal = self.other = self.noise = self.product = self.largest = 0.0

    def add(self, expected: np.ndarray, found: np.ndarray) -> None:
        """Take in one window's output."""
        one, other = (np.asarray(values).ravel() for values in (expected, found))
        if one.dtype == np.float32:
            one, other = one.astype(np.float64), other.astype(np.float64)
        error = np.abs(one - other)
        self.signal += float(np.vdot(one, one).real)
        self.other += float(np.vdot(other, other).real)
        self.product += float(np.vdot(one, other).real)
        self.noise += float(np.vdot(error, error))
        self.largest = max(self.largest, float(error.max()))

    @property
    def snr_db(self) -> float:
        """Signal over noise; infinite without noise."""
        if self.noise == 0.0:
            return math.inf
        return 10.0 * math.log10(self.signal / self.noise) if self.signal > 0.0 else -math.inf

    @property
    def cosine_similarity(self) -> float:
        """1 for two zeros, 0 where one is zero."""
        norms = math.sqrt(self.signal * self.other)
        return min(1.0, self.product / norms) if norms > 0.0 else float(self.signal == self.other)


class _Probe:
    """A model whose inner tensors can be read."""

    def __init__(self, model: bytes, names: list[str]) -> None:
        observed, kept = with_outputs(model, sorted(set(names)))
        self._interpreter = open_interpreter(observed)
        self._source = self._interpreter.get_input_details()[0]
        details = dict(zip(kept, self._interpreter.get_output_details(), strict=True))
        self._targets = [details[name] for name in names]
        self.dtypes = [np.dtype(detail["dtype"]).name for detail in (self._source, *self._targets)]

    def values(self, window: np.ndarray) -> list[np.ndarray]:
        """Return the input and the named tensors for one window, integers as the numbers they stand for."""
        given = to_tensor(window, self._source)
        self._interpreter.set_tensor(self._source["index"], given)
        self._interpreter.invoke()
        read = [from_tensor(self._interpreter.get_tensor(target["index"]), target) for target in self._targets]
        return [from_tensor(given, self._source), *read]


def _spread(windows: np.ndarray | WindowRows, size: int) -> np.ndarray:
    """Return some windows spread over all, float32 (n, size)."""
    check_windows(windows, size)
    places = np.linspace(0, len(windows) - 1, min(len(windows), MAX_WINDOWS)).astype(int)
    return np.asarray(windows[places], np.float32).reshape(len(places), size)


def _drifts(operations: Sequence[Operation], sums: list[_Sums], dtypes: list[str]) -> list[LayerDrift]:
    """Return the drifts in the order of execution, with what each layer lost against its inputs."""
    snr: dict[str, float] = {}
    layers: dict[str, str] = {}
    drifts = []
    for position, (operation, total, dtype) in enumerate(zip(operations, sums, dtypes, strict=True)):
        before = min((snr[name] for name in operation.inputs if name in snr), default=CLEAN_DB)
        snr[operation.outputs[0]] = total.snr_db
        layers[operation.outputs[0]] = named_layer(operation, layers)
        drifts.append(
            LayerDrift(
                position=position,
                layer=layers[operation.outputs[0]],
                tensor=operation.outputs[0],
                operation=operation.name,
                dtype=dtype,
                snr_db=total.snr_db,
                lost_db=max(0.0, min(before, CLEAN_DB) - min(total.snr_db, CLEAN_DB)),
                cosine_similarity=total.cosine_similarity,
                max_abs_error=total.largest,
            )
        )
    return drifts


def _row(drift: LayerDrift, loses_most: bool) -> tuple[str, ...]:
    """One line of the table."""
    bad = ["poor"] * (drift.snr_db < POOR_DB) + ["loses most"] * loses_most
    return (
        drift.layer,
        drift.operation,
        drift.dtype,
        "exact" if math.isinf(drift.snr_db) and drift.snr_db > 0 else signed(drift.snr_db, 1, plus=False),
        f"{drift.lost_db:.1f}",
        signed(drift.cosine_similarity, 6, plus=False),
        f"{drift.max_abs_error:.3g}",
        ", ".join(bad),
    )
