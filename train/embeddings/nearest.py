"""Which recordings are nearest to one, by cosine similarity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.embeddings.embedded import Embeddings


@dataclass(frozen=True)
class Neighbour:
    """A recording near to what was looked for.

    Attributes
    ----------
    name, label : str
        The label is empty where it is not known.
    start_seconds : float, optional
        Where its nearest window begins; None where a row is a whole recording.
    similarity : float
        Cosine, -1 to 1.
    """

    name: str
    label: str
    start_seconds: float | None
    similarity: float


def nearest(found: Embeddings, vector: np.ndarray, top: int, without: str = "") -> list[Neighbour]:
    """Return the recordings nearest to a vector, the nearest first, each once with its nearest window.

    Parameters
    ----------
    found : Embeddings
    vector : np.ndarray
        float (n_features,), of any norm.
    top : int
        How many at most, 1 or more.
    without : str
        A recording that is left out: the one that was asked for.

    Raises
    ------
    ValueError
        A vector of another size.
    """
    if vector.shape != found.embeddings.shape[1:]:
        raise ValueError(
            f"the query has {vector.size} values and the embeddings have {found.embeddings.shape[1]}; they are of "
            "different models: embed all of them anew"
        )
    similarities = found.embeddings @ (vector / (np.linalg.norm(vector) or 1.0)).astype(np.float32)
    neighbours: dict[str, Neighbour] = {}
    for place in np.argsort(-similarities, kind="stable").tolist():
        name = str(found.names[place])
        if name != without and name not in neighbours:
            label, start = str(found.labels[place]), float(found.starts[place]) if found.per_window else None
            neighbours[name] = Neighbour(name, label, start, float(similarities[place]))
        if len(neighbours) == top:
            break
    return list(neighbours.values())
