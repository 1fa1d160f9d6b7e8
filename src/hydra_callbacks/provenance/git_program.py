"""How is the `git` program asked, without waiting for locks or for a user, and without a mark left behind?"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_callbacks.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OURS = "hydracallbacks.own=true"
"""A setting without effect: by it, who measures the job knows that this git is no part of it."""
_PIPE_BYTES = 1 << 14 if os.name == "posix" else 0  # that any pipe takes before it is read
_TIMEOUT_S = 600.0
_OF_ANOTHER = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
}
"""Variables that name a repository, as in git's own hooks; what is asked here is about the directory's."""
NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false")
"""Options with which git runs nothing of the repository's own when it writes."""
SHA = re.compile(r"[0-9a-f]{7,64}")


class Call:
    """A call of `git` that runs beside the caller's own work.

    Args:
        directory: Where it runs.
        words: What it is asked.
        env: Variables besides the process's own.
        stdin: What it reads.

    Raises:
        GitError: Git is not installed, or cannot be run.
    """

    def __init__(
        self, directory: Path, words: Sequence[str], *, env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> None:
        git = shutil.which("git")
        if git is None:
            msg = "there is no git program on the PATH; install git, or switch GitInfo off"
            raise GitError(msg)
        self._told = f"git {_verb(words)} in {directory}"
        try:
            self._process = subprocess.Popen(  # noqa: S603  (fixed words, paths, and commits that are hexadecimal)
                [git, "-c", OURS, "--no-optional-locks", *words],
                cwd=directory,
                env={**_own_environment(), **(env or {})},
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            msg = f"{self._told} could not be run: {error}"
            raise GitError(msg) from error
        self._stdin = stdin
        if self._process.stdin and len(stdin) <= _PIPE_BYTES:  # then it need not wait for `end`
            with contextlib.suppress(OSError):  # it has ended already
                self._process.stdin.write(stdin)
                self._process.stdin.close()
            self._process.stdin, self._stdin = None, b""

    def end(self) -> subprocess.CompletedProcess[bytes]:
        """Wait for its end, and return what it said.

        Raises:
            GitError: It takes longer than ten minutes.
        """
        with self._process as process:
            try:
                printed, said = process.communicate(self._stdin or None, timeout=_TIMEOUT_S)
            except subprocess.TimeoutExpired as error:
                process.kill()
                msg = f"{self._told} took longer than {_TIMEOUT_S:.0f} s"
                raise GitError(msg) from error
        return subprocess.CompletedProcess(process.args, process.returncode, printed, said)


def _verb(words: Sequence[str]) -> str:
    """Return what git is asked to do, without the options before."""
    n_options = 0
    while words[n_options].startswith("-"):
        n_options += 2 if words[n_options] == "-c" else 1
    return words[n_options]


def _own_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def run(
    directory: Path, words: Sequence[str], *, env: Mapping[str, str] | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Call `git`, and wait for it; arguments and errors as for `Call`."""
    return Call(directory, words, env=env, stdin=stdin).end()


def output(directory: Path, words: Sequence[str], *, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> bytes:
    """Return what `git` prints.

    Raises:
        GitError: It cannot be run, or fails; the message has its own words.
    """
    done = run(directory, words, env=env, stdin=stdin)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        msg = of_another_user(directory, said) or f"git {_verb(words)} in {directory} failed: {said}"
        raise GitError(msg)
    return done.stdout


@functools.cache
def version() -> tuple[int, ...]:
    """Return git's version, as in (2, 39, 5); nothing where it is not told.

    Raises:
        GitError: Git cannot be run.
    """
    told = re.search(rb"\d+(?:\.\d+)+", run(Path.cwd(), ["version"]).stdout)
    return tuple(map(int, told[0].split(b"."))) if told else ()


def of_another_user(directory: Path, said: str) -> str | None:
    """Return the line for a repository that git does not read, as its owner is another user; None for anything else.

    Args:
        directory: Where git was asked.
        said: What it said, which ends with the remedy.
    """
    remedy = said.strip().rpartition("\n")[2].strip()
    if "safe.directory" not in remedy:
        return None
    return f"{directory} is in a repository of another user, which git does not read; if you trust it: {remedy}"
