"""What did the jobs of a sweep find out?"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RecordError
from hydra_callbacks.runs import record
from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NUM = re.compile(rb"^    num: (\d+)\s*$", re.MULTILINE)
_DIGITS = re.compile(r"(\d+)")


def job_dirs(sweep_dir: Path, output_subdir: str = ".hydra") -> list[Path]:
    """Return the output directories of a sweep's jobs, at any depth, in the order of their numbers.

    Args:
        sweep_dir: The sweep's directory.
        output_subdir: Name of Hydra's own folder in each of them, by which they are known.
    """
    return sorted(_walk(sweep_dir, output_subdir), key=lambda job_dir: job_order(job_dir, output_subdir))


def _walk(directory: Path, output_subdir: str) -> Iterator[Path]:
    for root, folders, _ in os.walk(directory):
        if output_subdir in folders:
            folders.clear()  # what a job keeps below its directory is its own
            yield directory.__class__(root)


def job_num(job_dir: Path, output_subdir: str | None = ".hydra") -> int | None:
    """Return a job's number in its sweep, from its record, else from Hydra's own files, else from its directory's name.

    Args:
        job_dir: The job's output directory.
        output_subdir: Name of Hydra's own folder in it; None when there is none, and the record lies beside the
            results.

    Returns:
        The number; None when nothing tells it.
    """
    own = job_dir / (output_subdir or "")
    try:
        return int(record.read(own / record.FILE_NAME)["job"]["num"])
    except (RecordError, OSError, KeyError, TypeError, ValueError):
        pass
    try:
        if found := _NUM.search((own / "hydra.yaml").read_bytes()):
            return int(found[1])
    except OSError:
        pass
    return int(job_dir.name) if job_dir.name.isdecimal() else None


def job_order(job_dir: Path, output_subdir: str | None = ".hydra") -> tuple[Any, ...]:
    """Return a key that sorts jobs by number, and those without one by name, after them ("10" after "9")."""
    num = job_num(job_dir, output_subdir)
    name = [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(str(job_dir))]
    return (num is None, num or 0, name)


def read_result(file: Path) -> dict[str, Any]:
    """Return what a job wrote to its result file, flattened: nested keys are joined by dots.

    Args:
        file: A JSON file. What is no object in it becomes the value of the key `result`.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no whole JSON document, or not UTF-8.
    """
    result = json.loads(file.read_bytes())
    return flatten(plain(result)) if isinstance(result, dict) else {"result": plain(result)}
