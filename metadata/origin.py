"""Which backbone a model began with: its licence and its source go along with whatever is trained on it."""

from __future__ import annotations

from typing import NamedTuple

from metadata.spec import ModelSpec


class BackboneOrigin(NamedTuple):
    """Where the backbone of a model came from; licence and source are empty where nobody said."""

    name: str
    licence: str
    source: str
    sha256: str

    @property
    def licence_text(self) -> str:
        """What a field for the licence of a model holds."""
        return f"backbone {self.name}: {self.licence or 'licence not said'}"

    @property
    def clause(self) -> str:
        """What is said of a model, without its subject and the full stop."""
        return (
            f"begins with the backbone {self.name}: {self.source or 'source not said'}; licence "
            f"{self.licence or 'not said'}; SHA-256 {self.sha256}"
        )


def backbone_origin(spec: ModelSpec) -> BackboneOrigin | None:
    """Return what a spec's provenance says of its backbone, None where the model began with none."""
    training = spec.provenance.training
    if not training.get("backbone"):
        return None
    said = [training.get(f"backbone{field}") for field in ("", "_licence", "_source", "_sha256")]
    return BackboneOrigin(*(one if isinstance(one, str) else "" for one in said))


def origin_of(spec: ModelSpec) -> tuple[str, str]:
    """Return licence and source of a model of ours that others begin with: those of its own backbone go along."""
    source = (
        f"{spec.name}, trained by earproof on data with SHA-256 {spec.provenance.data_sha256[:12] or 'not recorded'}"
    )
    origin = backbone_origin(spec)
    return ("", source) if origin is None else (origin.licence, f"{source}; it {origin.clause}")
