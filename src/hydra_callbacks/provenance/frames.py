"""Through which lines did an exception come, and which of them are the user's own?"""

from __future__ import annotations

import os
import sys
import sysconfig
import types
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support.find_secrets import find_secrets
from hydra_callbacks.support.secret_names import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_ERRORS = 10
_LIBRARIES = {"hydra", "hydra_callbacks", "hydra_plugins", "omegaconf"}  # also where they are installed as sources
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_DATA = {str, bytes, dict, list, tuple}
_MOST_LINES = 15  # of the user's, for each exception: the first and the last ones
_DEFINED = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a program through which an exception came.

    Attributes:
        file: Its file, as Python names it.
        number: From 1 on.
        function: Name of the function, `<module>` outside of all.
        module: Name of the module.
        is_own: Whether it is the user's own code, not that of a library.
        frame: The frame, with the local values as they were in the end.
    """

    file: str
    number: int
    function: str
    module: str
    is_own: bool
    frame: types.FrameType

    @property
    def library(self) -> str:
        """The package that it belongs to."""
        return self.module.partition(".")[0] or self.file

    def told(self, start: str = "") -> str:
        """Return file, number and function, `train.py:41 in step`.

        Args:
            start: A directory: a file below it is named from there.
        """
        above = os.path.join(start, "")  # noqa: PTH118  (a text)
        file = self.file[len(above) :] if start and self.file.startswith(above) else self.file
        return f"{file}:{self.number}" + (f" in {self.function}" if self.function != "<module>" else "")

    def locals(self) -> dict[str, Any]:
        """Return the local values; outside of a function, without what is imported or defined there."""
        values = {name: value for name, value in dict(self.frame.f_locals).items() if not name.startswith("__")}
        if self.function == "<module>":
            return {name: value for name, value in values.items() if not issubclass(type(value), _DEFINED)}
        return values

    def constants(self) -> dict[str, Any]:
        """Return the module's own texts and containers with secret names."""
        values = dict(self.frame.f_globals)
        return {name: value for name, value in values.items() if type(value) in _DATA and is_secret(str(name))}


def related(error: BaseException, *, causes_only: bool = False) -> list[BaseException]:
    """Return an exception, and those that led to it: the members of a group, its cause, and so on.

    Args:
        error: The exception.
        causes_only: Leave out those that it was only raised in the handling of.
    """
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting and len(found) < _MOST_ERRORS:
        each = waiting.pop(0)
        if each is None or any(each is known for known in found):
            continue
        found.append(each)
        members = getattr(each, "exceptions", ()) if hasattr(each, "derive") else ()  # Python 3.11 has groups
        is_cut = causes_only or each.__suppress_context__
        waiting += [*reversed(members), each.__cause__ or (None if is_cut else each.__context__)]
    return found


def lines_of(error: BaseException, program: str = "") -> list[Line]:
    """Return the lines through which an exception came, the innermost last; from the task function on.

    Args:
        error: The exception.
        program: The file that was started: its functions may have come to this process by cloudpickle, which from
            release 3.1.3 on does not tell where they are from.
    """
    passed = list(_walk(error.__traceback__))
    begins = max((index for index, (frame, _) in enumerate(passed) if _is_run_job(frame)), default=-1) + 1
    passed = passed[begins:]
    package = str(passed[0][0].f_globals.get("__name__", "")).partition(".")[0] if passed and begins else ""
    return [
        Line(
            file=(file := _file_of(frame, program)),
            number=number,
            function=frame.f_code.co_name,
            module=(module := str(frame.f_globals.get("__name__", ""))),
            is_own=is_own(file, module, package),
            frame=frame,
        )
        for frame, number in passed
    ]


def _file_of(frame: types.FrameType, program: str) -> str:
    file = frame.f_code.co_filename
    is_untold = file == "<dynamic-code>" and frame.f_globals.get("__name__") == "__main__"
    return program if is_untold and program else file


def _walk(trace: types.TracebackType | None) -> Iterator[tuple[types.FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno or 0
        trace = trace.tb_next


def _is_run_job(frame: types.FrameType) -> bool:
    return frame.f_code.co_name in {"run_job", "_run_job"} and frame.f_globals.get("__name__") == "hydra.core.utils"


def is_own(file: str, module: str, package: str = "") -> bool:
    """Tell whether code is the user's.

    Args:
        file: Where it stands.
        module: Its module.
        package: The package of the task function: it may be installed, as libraries are.
    """
    above = module.partition(".")[0]
    if above in _LIBRARIES or file.startswith("<frozen "):
        return False
    if package and above == package:
        return True
    return not any(part in file for part in _PACKAGES) and not file.startswith(_standard_library())


def is_own_class(kind: type) -> bool:
    """Tell whether a class is the user's."""
    module = sys.modules.get(kind.__module__)
    return module is not None and is_own(str(vars(module).get("__file__") or ""), kind.__module__)


@lru_cache(maxsize=1)
def _standard_library() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple(os.path.join(paths[name], "") for name in ("stdlib", "platstdlib"))  # noqa: PTH118  (texts)


def innermost(error: BaseException, program: str = "") -> Line | None:
    """Return the innermost of the user's lines that led to an exception; None when there is none.

    Where an exception was raised `from` another one, the line is where that came from; so it is of a member of a group.

    Args:
        error: The exception.
        program: As above.
    """
    found = _last_own(error, program)
    for each in related(error, causes_only=found is not None):
        found = _last_own(each, program) or found
    return found


def _last_own(error: BaseException, program: str) -> Line | None:
    return next((line for line in reversed(lines_of(error, program)) if line.is_own), None)


def chosen(lines: Sequence[Line]) -> list[Line]:
    """Return those of the user's lines that are told: all, or of a recursion the first and the last ones."""
    own = [line for line in lines if line.is_own]
    first = _MOST_LINES // 3
    return own if len(own) <= _MOST_LINES else own[:first] + own[first - _MOST_LINES :]


def secrets_of(error: BaseException) -> set[str]:
    """Return the secrets in the local values of the lines through which an exception came, and in itself."""
    errors = related(error)
    lines = [line for each in errors for line in reversed(chosen(lines_of(each)))]
    pairs = [pair for line in lines for pair in (*line.locals().items(), *line.constants().items())]
    return find_secrets([*(("", each) for each in errors), *((str(name), value) for name, value in pairs)])
