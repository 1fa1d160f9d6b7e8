"""Where do the paths of a recorded command lead, now that its tree is rebuilt elsewhere?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hydra_callbacks.provenance.worktree import Code

_FROM_THE_PROGRAM = {"-cp", "--config-path"}
"""Options whose paths Hydra takes from the directory of the program's file; any other is taken from where it starts."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A tree that is rebuilt, or will be, and what led into the original one.

    Attributes:
        code: The code.
        tree: Where it is rebuilt.
        started_in: Where the original run was started, which may be outside of its tree.
    """

    code: Code
    tree: Path
    started_in: Path

    @property
    def cwd(self) -> Path:
        """Where the application is started."""
        return Path(inside(str(self.started_in), self.code, self.tree))

    def program(self, word: str) -> str:
        """Return the program's file as it is to be called.

        One in the original tree is that of the rebuilt one, though that lacks it: then it is better not run at all. But
        a script that was installed into an environment, which lies in the tree, stays the one that it is.
        """
        absolute = self._from_start(word)
        place = inside(absolute, self.code, self.tree)
        if place == absolute:  # it lies elsewhere
            return word if self.cwd == self.started_in else absolute
        if Path(absolute).parent.parent.joinpath("pyvenv.cfg").is_file() and not self._is_there(place):
            return absolute
        return word if self._leads_there(word, place) else place

    def word(self, word: str) -> str:
        """Return a word in which a path into the tree, as a whole or behind a sign, leads into the rebuilt one.

        What is not in the rebuilt tree, as data that git does not know, stays where it is.
        """
        head, sign, path = word.partition("=") if "=" in word else ("", "", word)
        inner, mark = _unquoted(path)
        if mark:  # as Hydra quotes
            place = self._there(inner)
            return word if place == inner else f"{head}{sign}{mark}{place.replace(mark, chr(92) + mark)}{mark}"
        return f"{head}{sign}{os.pathsep.join(map(self._there, path.split(os.pathsep)))}"

    def search_path(self, text: str) -> str:
        """Return a list of directories, as in PYTHONPATH, of which those in the tree are the rebuilt ones."""
        return os.pathsep.join(self._searched(each) if each else each for each in text.split(os.pathsep))

    def _searched(self, directory: str) -> str:
        absolute = self._from_start(directory)
        place = inside(absolute, self.code, self.tree)
        return place if self._is_there(place) else absolute

    def leading_out(self, words: Sequence[str]) -> list[str]:
        """Return which words hold a relative path out of the tree: from the rebuilt one, it leads elsewhere.

        Args:
            words: The program, and its words as they were.
        """
        return [told for told, base, path in self._relative(words) if base and not self._stays(base, path)]

    def _relative(self, words: Sequence[str]) -> Iterator[tuple[str, Path | None, str]]:
        """Yield each word with a path that begins with `..`, from where it is taken, and the path."""
        start = self.started_in if self.cwd != self.started_in else None
        for before, word in zip(["", *words], words, strict=False):
            name, sign, value = word.partition("=")
            path = _unquoted(value if sign else word)[0]
            option = name if sign else before
            if path.split("/")[0] == "..":
                base = self._folder_of(words) if option in _FROM_THE_PROGRAM else start
                yield (word if sign or not before.startswith("-") else f"{before} {word}"), base, path

    def _folder_of(self, words: Sequence[str]) -> Path | None:
        """Return the directory of the program's file, where that lies in the tree."""
        if words[0] != "-m":
            program = inside(self._from_start(words[0]), self.code, self.tree)
            return self.code.root / Path(program).parent.relative_to(self.tree) if _is_in(program, self.tree) else None
        *packages, _ = words[1].split(".")
        found = (self.code.root.joinpath(top, *packages) for top in ("", "src"))
        return next((folder for folder in found if packages and folder.is_dir()), None)

    def _stays(self, base: Path, path: str) -> bool:
        return _is_in(os.path.normpath(base / path), self.code.root)

    def _from_start(self, path: str) -> str:
        return os.path.join(self.started_in, path)  # noqa: PTH118  (`Path` would take `./` away, as texts it is told)

    def _there(self, path: str) -> str:
        if not os.path.isabs(path) and "/" not in path.replace(os.sep, "/"):  # noqa: PTH117  (a text, and maybe a name)
            return path
        place = inside(self._from_start(path), self.code, self.tree)
        return place if self._is_there(place) and not self._leads_there(path, place) else path

    def _leads_there(self, path: str, place: str) -> bool:
        """Tell whether a path leads to a place from where the application is started."""
        return os.path.normpath(self.cwd / path) == os.path.normpath(place)

    def _is_there(self, place: str) -> bool:
        """Tell whether a place is one of the rebuilt tree, which may be yet to be made."""
        if not _is_in(place, self.tree):
            return False
        if self.tree.exists():
            return os.path.lexists(place)
        return self.code.has(Path(place).relative_to(self.tree).as_posix())


def inside(path: str, code: Code, folder: Path) -> str:
    """Return a path that led into the tree as it leads into the one that was rebuilt; any other as it is."""
    if not os.path.isabs(path):  # noqa: PTH117  (a text)
        return path
    real, plain = os.path.realpath(path), os.path.normpath(path)
    as_told = [(plain, str(code.root))] if os.path.realpath(plain) == real else []  # no `..` leads behind a link
    for each, top in (*as_told, (real, os.path.realpath(code.root))):
        if _is_in(each, top):
            return str(folder) + each[len(top) :]
    return path


def _unquoted(text: str) -> tuple[str, str]:
    """Return a text without the quotation marks that Hydra's grammar knows, and the mark; empty without."""
    if len(text) > 1 and text[0] == text[-1] in "'\"":
        return text[1:-1].replace(f"\\{text[0]}", text[0]), text[0]
    return text, ""


def _is_in(path: str, top: str | Path) -> bool:
    return path == str(top) or path.startswith(str(top).rstrip(os.sep) + os.sep)
