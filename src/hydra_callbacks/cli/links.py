"""`reproduce --link`: what git does not know, and the code needs, is lent to the rebuilt tree by links."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_callbacks.cli import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def of_links(given: Iterable[str], root: Path) -> tuple[str, ...]:
    """Return what is to be linked, relative to the top of the original tree.

    Args:
        given: As the user named it: relative to that top, or absolute.
        root: The top.

    Raises:
        Failure: It is not there, or not in that tree.
    """
    return tuple(dict.fromkeys(_of_link(each, root) for each in given))


def _of_link(given: str, root: Path) -> str:
    place = Path(os.path.normpath(root / given))
    tops = (root, root.resolve())
    top = next((top for top in tops if place.is_relative_to(top) and place != top), None)
    if top is None:
        msg = f"--link {given} is not in {root}: only what lies in the tree that ran is linked into the rebuilt one"
        raise Failure(msg)
    if not place.exists():
        msg = f"--link {given}: there is no {place}"
        raise Failure(msg)
    return place.relative_to(top).as_posix()


def make_links(links: Sequence[str], root: Path, tree: Path) -> None:
    """Link what git does not know into the rebuilt tree.

    Raises:
        Failure: It is there already.
    """
    for each in (part for link in links for part in _parts(link, root, tree)):
        link, target = tree / each, root / each
        if os.path.lexists(link):
            msg = f"{each} is in the rebuilt tree already: git knows it, so it needs no --link"
            raise Failure(msg)
        if not link.parent.resolve().is_relative_to(tree.resolve()):
            msg = f"--link {each}: a link in the rebuilt tree leads out of it, to {link.parent.resolve()}"
            raise Failure(msg)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target, target_is_directory=target.is_dir())


def _parts(link: str, root: Path, tree: Path) -> list[str]:
    """Return what is linked: of a submodule that could not be had what is in it, as git wants a folder there."""
    place = tree / link
    if place.is_symlink() or not place.is_dir() or any(place.iterdir()):
        return [link]
    return [f"{link}/{each.name}" for each in (root / link).iterdir() if each.name != ".git"]


def not_linked(missing: Iterable[str], links: Sequence[str]) -> list[str]:
    """Return what is missing, in words that begin with its path, without what is linked."""
    heads = tuple(head for link in links for head in (f"{link}: ", f"{link}/", f"the submodule {link}: "))
    return [each for each in missing if not each.startswith(heads)]
