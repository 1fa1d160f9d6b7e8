"""What does a person want to read of a task that failed?"""

from __future__ import annotations

import linecache
import textwrap
import traceback
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hydra_callbacks.provenance.frames import Line, chosen, innermost, is_own_class, lines_of, related
from hydra_callbacks.support.short_repr import ShortRepr, end_of, start_of
from hydra_callbacks.support.texts import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hydra_callbacks.support.redact import Redactor

_WIDTH = 100  # characters
_AROUND = 3  # lines before and after the one that failed
_MOST_LOCALS = 40
_LONGEST_LINE = 1000  # characters
_LONGEST_TRACE = 50_000  # characters, of its start and of its end
_LONGEST_CONFIG = 100_000  # characters
_RECORDED_LOCALS, _RECORDED_LENGTH, _RECORDED_LOG = 20, 120, 10


class Crash:
    """What is known of a task that failed.

    Args:
        error: What it raised.
        redactor: What takes the secrets out; it knows those in the local values.
        start: Where the application was started: files below are named from there.
        program: The file that was started.
        log: The last lines of the log.
        with_locals: Whether local values are told.
    """

    def __init__(  # noqa: PLR0913  (all but two by keyword)
        self,
        error: BaseException,
        redactor: Redactor,
        *,
        start: str,
        program: str = "",
        log: Sequence[str] = (),
        with_locals: bool = True,
    ) -> None:
        self._error = error
        self._redactor = redactor
        self._start, self._program = start, program
        self._with_locals = with_locals
        self._errors = related(error)
        self._log = [start_of(line, redactor, 3 * _LONGEST_LINE) for line in log]

    def section(self) -> dict[str, Any]:
        """Return what the run record tells of it, in a few kB: where it failed, with local values, and the log."""
        line = innermost(self._error, self._program)
        told: dict[str, Any] = {}
        if line is not None:
            told["at"] = self._redactor.known(line.told(self._start))
            if self._with_locals:
                told["locals"] = self._locals(line, most=_RECORDED_LOCALS, longest=_RECORDED_LENGTH)
        if self._log:
            told["log"] = [line[:_RECORDED_LENGTH] for line in self._log[-_RECORDED_LOG:]]
        return told

    def text(self, facts: Mapping[str, str], again: Sequence[str], config: Any) -> str:
        """Return the report.

        Args:
            facts: What is told first, each in a line; without secrets.
            again: The commands that run it again; without secrets.
            config: The task's configuration as plain data.
        """
        name = type(self._error).__name__
        wide = max(map(len, facts))
        parts = [
            [f"{name} in {facts.get('app', 'the task')}", *(f"  {key:<{wide}}  {facts[key]}" for key in facts)],
            ["To run it again:", *(f"  {command}" for command in again)],
            ["What was raised:", *_indented(self._traceback())],
            *self._places(),
        ]
        if self._log:
            which = f"last {len(self._log)} lines" if len(self._log) > 1 else "last line"
            parts.append([f"The {which} of the log:", *_indented("\n".join(self._log))])
        parts.append(["The configuration:", *_indented(self._config(config))])
        text = "\n\n".join("\n".join([head, *lines]) for head, *lines in parts) + "\n"
        return printable(self._redactor.known(text))

    def _traceback(self) -> str:
        text = "".join(traceback.format_exception(type(self._error), self._error, self._error.__traceback__)).rstrip()
        if len(text) <= 2 * _LONGEST_TRACE:
            return self._redactor.text(text)
        start, end = start_of(text, self._redactor, _LONGEST_TRACE), end_of(text, self._redactor, _LONGEST_TRACE)
        return f"{start}\n[{len(text) - 2 * _LONGEST_TRACE:,} characters left out]\n{end}"

    def _config(self, config: Any) -> str:
        import yaml  # noqa: PLC0415  (not in a task that ends well)

        text = str(yaml.safe_dump(self._redactor.data(config), sort_keys=False, allow_unicode=True, width=_WIDTH))
        return text if len(text) <= _LONGEST_CONFIG else f"{text[:_LONGEST_CONFIG]}\n... the rest is in config.yaml"

    def _places(self) -> list[list[str]]:
        """Return the user's lines of each exception, with what is around them."""
        parts = []
        for error in reversed(self._errors):  # the first one first, as Python tells them
            lines = lines_of(error, self._program)
            if not any(line.is_own for line in lines):
                continue
            told = [f"Where {type(error).__name__} came from, the innermost line last:"]
            shown = chosen(lines)
            for is_own, group in groupby(lines, key=lambda line: line.is_own):
                passed = list(group)
                if not is_own:
                    told += ["", f"  {_folded(passed, self._start)}"]
                for line in passed if is_own else ():
                    if line in shown:
                        told += ["", *self._place(line)]
                    elif told[-1] != "  ...":
                        told += ["", "  ..."]
            parts.append([self._redactor.known(line) for line in told])
        return parts

    def _place(self, line: Line) -> list[str]:
        told = [f"  {line.told(self._start)}", ""]
        first = max(line.number - _AROUND, 1)
        for number in range(first, line.number + _AROUND + 1):
            source = linecache.getline(line.file, number, line.frame.f_globals).rstrip()
            if source or number <= line.number:
                mark = ">" if number == line.number else " "
                told.append(f"  {mark} {number:>5} | {start_of(source, self._redactor, _WIDTH * 2)}".rstrip())
        if self._with_locals:
            values = self._locals(line, most=_MOST_LOCALS)
            wide = min(max(map(len, values), default=0), 20)
            told += ["", *(each for name, value in values.items() for each in _pair(name, value, wide))]
        return told

    def _locals(self, line: Line, *, most: int, longest: int = 300) -> dict[str, str]:
        short = ShortRepr(self._redactor, is_own_class, longest=longest)
        values = line.locals()
        shown = {str(name): short.show(value, str(name)) for name, value in list(values.items())[:most]}
        return shown | ({"...": f"{len(values) - most} more"} if len(values) > most else {})


def _folded(passed: Sequence[Line], start: str) -> str:
    names = list(dict.fromkeys(line.library for line in passed))
    count = "a line" if len(passed) == 1 else f"{len(passed)} lines"
    return f"... {count} of {', '.join(names)}, to {passed[-1].told(start)}"


def _indented(text: str) -> list[str]:
    lines = (line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}..." for line in text.splitlines())
    return [f"  {line}".rstrip() for line in lines]


def _pair(name: str, value: str, wide: int) -> list[str]:
    """Return a name and its value, in as many lines as it needs."""
    head = f"    {name:<{wide}} = "
    rest = textwrap.wrap(value, max(_WIDTH - len(head), _WIDTH // 2), break_on_hyphens=False) or [""]
    return [head + rest[0], *(" " * len(head) + each for each in rest[1:])]
