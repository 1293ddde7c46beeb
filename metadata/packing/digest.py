"""The digest in a model's spec: SHA-256 of everything before the ZIP, so that no changed byte goes unnoticed.

It lies beside the spec's own fields in `model_spec.json`. Files of other tools have none; a file that another tool
changed on purpose is described anew with `earproof metadata write`. It tells damage from health, not friend from foe:
whoever changes a file on purpose can compute it too.
"""

from __future__ import annotations

import hashlib
import json

from metadata.errors import ModelContractError
from metadata.spec import DIGEST_FIELD, SPEC_FILE_NAME, ModelSpec
from metadata.tflite_file.model_content import ModelContent, parse_model

_SHOWN = 12  # digits of a digest in an error text


def spec_with_digest(spec: ModelSpec, model: bytes) -> bytes:
    """Return the content of `model_spec.json` for a model that has no ZIP yet."""
    values = json.loads(spec.to_json()) | {DIGEST_FIELD: hashlib.sha256(model).hexdigest()}
    return (json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")


def check_digest(model: bytes | ModelContent, spec_file: bytes) -> str:
    """Compare a model file with the digest in its `model_spec.json`, and return it; empty where there is none.

    Raises
    ------
    ModelContractError
        The model is not the one that was described, or the spec is not JSON.
    """
    try:
        values = json.loads(spec_file)
    except (ValueError, RecursionError) as error:
        raise ModelContractError(f"{SPEC_FILE_NAME} is not valid JSON: {error}") from error
    content = parse_model(model)
    digest = values.get(DIGEST_FIELD, "") if isinstance(values, dict) else ""
    found = hashlib.sha256(memoryview(content.model)[: content.end]).hexdigest()
    if digest not in ("", found):
        raise ModelContractError(
            f"the model has the SHA-256 {found[:_SHOWN]}... but {SPEC_FILE_NAME} was written for "
            f"{str(digest)[:_SHOWN]}...: the file was changed or damaged after it was packed. Fetch it again; "
            "if the change was meant, describe it anew with: earproof metadata write FILE --spec model_spec.json"
        )
    return str(digest)
