"""The reference of the command line, read from the parsers themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import earproof


def command_reference() -> str:
    """Return every verb with its arguments and options as Markdown: a table of the verbs, then a section for each."""
    parsers = {name: _verb_parser(name) for name in earproof.VERBS}
    rows = [
        f"| [`earproof {name}`](#{name.replace(' ', '-')}) | {_cell(verb.help)} |"
        for name, verb in earproof.VERBS.items()
    ]
    overview = ["| verb | what it does |", "| --- | --- |", *rows]
    sections = [line for name, parser in parsers.items() for line in _section(name, parser, level=2)]
    return "\n".join([*overview, "", *sections])


def _verb_parser(name: str) -> argparse.ArgumentParser:
    """Return the parser of one verb, whose arguments are added when it is asked for."""
    actions = earproof._parser(name)._actions
    found = next(action for action in actions if isinstance(action, argparse._SubParsersAction))
    parser: argparse.ArgumentParser = found.choices[name]
    return parser


def _section(name: str, parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """Yield the lines of a verb or of one of its actions."""
    anchor = name.replace(" ", "-")
    yield f"{'#' * level} {name} {{: #{anchor} }}"
    yield ""
    if parser.description:
        yield from (_plain(parser.description), "")
    yield from ("```text", _usage(parser), "```", "")
    for group in parser._action_groups:
        yield from _group(group)
    if parser.epilog:
        yield from (_plain(parser.epilog), "")
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner, child in action.choices.items():
                yield from _section(f"{name} {inner}", child, level + 1)


def _usage(parser: argparse.ArgumentParser) -> str:
    """Return how a verb is called; its options stand in the tables below."""
    words = [_value(action) for action in parser._actions if not action.option_strings]
    needed = [
        f"{action.option_strings[-1]} {_value(action)}"
        for action in parser._actions
        if action.required and action.option_strings
    ]
    return " ".join([parser.prog, "[options]", *needed, *words])


def _group(group: argparse._ArgumentGroup) -> Iterator[str]:
    """Yield a table of the arguments of one group; nothing where it has none of its own."""
    shown = [
        action
        for action in group._group_actions
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction)
    ]
    if not shown or all(isinstance(action, argparse._HelpAction) for action in shown):
        return
    yield from (f"**{(group.title or 'options').capitalize()}**", "")
    if group.description:
        yield from (_plain(group.description), "")
    yield from ("| | |", "| --- | --- |")
    for action in shown:
        if not isinstance(action, argparse._HelpAction):
            yield f"| {_names(action)} | {_cell(_help(action))} |"
    yield ""


def _names(action: argparse.Action) -> str:
    """Return an argument as it is typed."""
    value = _value(action)
    if not action.option_strings:
        return f"`{value}`"
    takes = f" {value}" if action.nargs != 0 else ""
    return ", ".join(f"`{option}{takes}`" for option in action.option_strings)


def _value(action: argparse.Action) -> str:
    """Return what stands for an argument's value."""
    name = action.metavar or (action.dest.upper() if action.option_strings else action.dest)
    if isinstance(name, tuple):
        name = " ".join(name)
    if action.choices is not None and action.metavar is None:
        name = "{" + ",".join(map(str, action.choices)) + "}"
    return f"{name} ..." if action.nargs in ("+", "*") else str(name)


def _help(action: argparse.Action) -> str:
    """Return an argument's help with its default put in, as argparse does."""
    values = {key: value for key, value in vars(action).items() if value is not argparse.SUPPRESS}
    choices = ", ".join(map(str, action.choices)) if action.choices is not None else ""
    return (action.help or "") % {**values, "choices": choices}


def _plain(text: str) -> str:
    """Return a text of the help in one paragraph, angle brackets kept."""
    return " ".join(text.split()).replace("<", "&lt;")


def _cell(text: str) -> str:
    """Return a text as the cell of a table."""
    return _plain(text).replace("|", "\\|")
