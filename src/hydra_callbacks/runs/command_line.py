"""What do the words say that an application was started with, and with which is it started again?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PLACES = {"-cn", "--config-name", "-cp", "--config-path", "-cd", "--config-dir"}
_WITH_VALUE = {*_PLACES, "-p", "--package"}
_MULTIRUN = {"-m", "--multirun"}
HYDRA = re.compile(r"[+~]{0,2}hydra[./]")
"""The beginning of an override of Hydra's own settings."""
_OF_A_SWEEP = re.compile(r"[+~]{0,2}hydra(?:[./](?:launcher|sweeper|sweep|mode)\b|\.run\.dir\b)")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The words after `python`.

    Attributes:
        program: The program's file, or `-m` and a module.
        options: Hydra's options, such as `--config-name`, each with its value; but for `--multirun`.
        overrides: Hydra's overrides.
    """

    program: list[str]
    options: list[str]
    overrides: list[str]

    @classmethod
    def of(cls, words: Sequence[Any] | None) -> CommandLine:
        """Tell words apart; `your_app.py` stands for a program that is not known."""
        given = [str(word) for word in words or ["your_app.py"]]
        n_first = 2 if given[0] == "-m" else 1
        options: list[str] = []
        overrides: list[str] = []
        rest = iter(given[n_first:])
        for word in rest:
            if word in _WITH_VALUE:
                options += [word, next(rest, "")]
            elif word not in _MULTIRUN:
                (options if word.startswith("-") else overrides).append(word)
        return cls(given[:n_first], options, overrides)

    def again(self, words: Iterable[str]) -> list[str]:
        """Return the words that run a single job.

        Args:
            words: Its overrides.
        """
        return ["python", *self.program, *self.places(), *self.of_hydra(), *words]

    def places(self) -> list[str]:
        """Return the options that decide which configuration the overrides apply to."""
        found = []
        for index, word in enumerate(self.options):
            if word in _PLACES:
                found += self.options[index : index + 2]
            elif word.partition("=")[0] in _PLACES:
                found.append(word)
        return found

    def of_hydra(self) -> list[str]:
        """Return the overrides of Hydra's own settings that are not about sweeps, nor where a single run goes."""
        return [word for word in self.overrides if HYDRA.match(word) and not _OF_A_SWEEP.match(word)]


def flags_of(words: Sequence[Any]) -> list[str]:
    """Return the interpreter's options that stand between it and its program, and change what a program does.

    Those by which it would not look for modules where it is told to, such as `-I`, are none of them.

    Args:
        words: The whole command line, as in `sys.orig_argv`.
    """
    found: list[str] = []
    rest = iter(map(str, words[1:]))
    for word in rest:
        if word in {"-X", "-W"}:
            found += [word, next(rest, "")]
        elif re.fullmatch(r"-[bBdOuvq]+|-[XW].+", word):
            found.append(word)
        elif not re.fullmatch(r"-[EIPsS]+", word):
            break
    return found


def assigned(key: str, value: str, *, is_text: bool = False) -> str:
    """Return an override, quoted as Hydra's grammar has it where it must be.

    Args:
        key: The key.
        value: Its value.
        is_text: Whether it must stay a text, though it looks like a number: `1234_5` is one to Hydra.
    """
    if not is_text and re.fullmatch(r"[\w/.\-:]+", value, re.ASCII):
        return f"{key}={value}"
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{quoted}'"
