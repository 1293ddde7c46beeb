"""Every loader's verdict on a file."""

from __future__ import annotations

from metadata.lint import interpreter_rules, mediapipe_rules, micro_rules, task_library_rules
from metadata.lint.file_facts import FileFacts, read_facts
from metadata.lint.kernel_rules import wrong_type
from metadata.lint.operator_rules import missing_operator
from metadata.lint.shared_rules import Rule
from metadata.lint.verdict import LOADERS, Loader, Verdict

RULES: dict[str, tuple[Rule, ...]] = {
    "task_library": task_library_rules.RULES,
    "mediapipe": mediapipe_rules.RULES,
    "mediapipe_web": mediapipe_rules.RULES,
    "litert": interpreter_rules.INTERPRETER,
    "tflite_runtime": interpreter_rules.INTERPRETER,
    "litertjs": interpreter_rules.WEB,
    "tflite_micro": micro_rules.RULES,
}


def lint_model(model: bytes) -> tuple[Verdict, ...]:
    """Return the verdict of each loader on a file, in the order of `LOADERS`; never an error.

    Parameters
    ----------
    model : bytes
        The whole file, whatever it is.
    """
    return lint_facts(read_facts(model))


def lint_facts(facts: FileFacts) -> tuple[Verdict, ...]:
    """Return the verdict of each loader on what a file holds."""
    return tuple(_verdict(facts, loader) for loader in LOADERS)


def _verdict(facts: FileFacts, loader: Loader) -> Verdict:
    """What one loader finds."""
    operator = missing_operator(facts, loader.key)
    if facts.unknown:
        return Verdict(loader, False if operator else None, (operator,) if operator else ())
    found = [*[rule(facts) for rule in RULES[loader.key]], operator or wrong_type(facts, loader.key)]
    if facts.content is None:  # where nothing can be read, only the first rule that says so has anything to say
        return Verdict(loader, not any(found), tuple(one for one in found if one is not None)[:1])
    findings = sorted([one for one in found if one is not None], key=lambda one: not one.is_refusal)
    return Verdict(loader, not any(one.is_refusal for one in findings), tuple(findings))
