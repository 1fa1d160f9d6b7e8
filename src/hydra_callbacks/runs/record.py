"""What happened in this job? One small JSON document beside Hydra's files, from which all else can be built.

Schema 1 is described in the documentation ("The run record"). A reader keeps keys it does not know.
"""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RecordError
from hydra_callbacks.support.files import write_new, write_whole
from hydra_callbacks.support.plain import plain
from hydra_callbacks.support.process import is_gone, is_running_here
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = 1
FILE_NAME = "run.json"
REPRODUCES = "HYDRA_CALLBACKS_REPRODUCES"
"""Variable with the id of the run that is being reproduced, or the directory of the sweep."""
_TYPES: dict[str, type] = {
    **dict.fromkeys(("id", "app", "status", "started_at", "cwd", "output_dir", "sweep_dir"), str),
    **dict.fromkeys(("config", "job", "host", "git", "error"), dict),
    **dict.fromkeys(("overrides", "command"), list),
    "attempt": int,
}
"""What readers build on; all else in a record is shown as it is."""


def read(path: Path) -> dict[str, Any]:
    """Return the record in a file, or in the folder that holds it.

    Args:
        path: A `run.json`, the folder it lies in (`.hydra`), or the job's output directory.

    Raises:
        RecordError: There is none, it is torn, or a newer version of this library wrote it.
    """
    file = next((file for file in _candidates(path) if file.is_file()), None)
    if file is None:
        msg = f"no run record in {path}; expected {FILE_NAME} there or in .hydra (is the RunRecord callback on?)"
        raise RecordError(msg)
    return parse(file.read_bytes(), file)


def parse(text: bytes, file: Path | str) -> dict[str, Any]:
    """Return the record that a file holds.

    Args:
        text: What is in the file.
        file: Its path, for the messages.

    Raises:
        RecordError: It is torn, or a newer version of this library wrote it.
    """
    from hydra_callbacks.support.fast_json import loads  # noqa: PLC0415  (who writes a record reads none)

    try:
        record = loads(text)
    except ValueError as error:
        msg = f"{file} is no whole run record ({error}); Hydra's own files beside it still tell the configuration"
        raise RecordError(msg) from error
    if not isinstance(record, dict):
        msg = f"{file} is no run record: expected a JSON object, got {type(record).__name__}"
        raise RecordError(msg)
    schema = record.get("schema", SCHEMA)
    if not isinstance(schema, int) or schema > SCHEMA:
        msg = f"{file} has schema {schema!r}, this version reads up to {SCHEMA}: pip install -U hydra-callbacks"
        raise RecordError(msg)
    get = record.get
    for key, kind in _TYPES.items():
        if type(get(key)) is not kind and get(key) is not None:
            msg = f"{file} is no run record: expected {key} to be of type {kind.__name__}, got {get(key)!r}"
            raise RecordError(msg)
    return record


def _candidates(path: Path) -> list[Path]:
    return [path] if path.name == FILE_NAME else [path / FILE_NAME, path / ".hydra" / FILE_NAME]


def status(record: dict[str, Any]) -> str:
    """Return "completed", "failed", "interrupted", "running", "lost" (its process is gone) or "unknown"."""
    state = record.get("status", "unknown")
    if state == "running" and is_gone(record.get("host") or {}):
        return "lost"
    return str(state)


def timestamp(seconds: float) -> str:
    """Return seconds since the epoch as UTC text with milliseconds, `2026-11-22T09:54:35.120Z`."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(moment: Any) -> float:
    """Return a record's time as seconds since the epoch; 0 when it is none."""
    try:
        return datetime.fromisoformat(str(moment).replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def new_id() -> str:
    """Return a UUID of version 7 (RFC 9562, 5.7): it begins with the time in milliseconds, so ids sort by age."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF000 << 64) | 0x7000 << 64
    number = number & ~(0xC000 << 48) | 0x8000 << 48
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class JobRecord:
    """The record of one job while it runs, in the process that runs it.

    Every callback adds its own section, in any order. Nothing is written until `keep` is called (by the RunRecord
    callback); from then on the lifecycle calls `flush` after each start event and after the last end event.

    Args:
        directory: Where the record lies (`<output_dir>/<output_subdir>`).
        redactor: What takes the secrets out of everything that is added.
        same: Keys of a record, such as `app` and `overrides`, to what they must be there for it to be this job's own.

    Attributes:
        attempt: 1, or one more than the record that an earlier start of the same job left here.
        data: What has been added so far: plain, without secrets.
        is_kept: Whether it is written.
        company: Id of another process of this machine that is at work in the same directory; None when there is none.
        replaced: The record of another job that was here, and whose place this one takes; empty when there was none.
    """

    def __init__(
        self, directory: Path, redactor: Redactor | None = None, same: Mapping[str, Any] | None = None
    ) -> None:
        self.path = directory / FILE_NAME
        self.redactor = redactor or Redactor()
        self._same = same or {}
        self._lock = threading.RLock()  # a section may be added by a thread
        self.company: int | None = None
        self.replaced: dict[str, Any] = {}
        earlier = self._read_earlier()
        previous = earlier.get("attempt", 1) if earlier else 0
        self.attempt = previous + 1 if isinstance(previous, int) else 2
        self.data: dict[str, Any] = {
            **earlier,
            "schema": SCHEMA,
            "id": earlier.get("id") or new_id(),
            "attempt": self.attempt,
        }
        self.is_kept = self._is_changed = False

    def _read_earlier(self) -> dict[str, Any]:
        """Return what stays of an earlier attempt: its id, its count, and what was added by others."""
        try:
            earlier = read(self.path)
        except (RecordError, OSError):
            return {}
        host = earlier.get("host") or {}
        if earlier.get("status") == "running" and is_running_here(host) and host["pid"] != os.getpid():
            self.company = host["pid"]
            return {}
        if not self._is_same_job(earlier):
            self.replaced = earlier
            return {}
        return {key: value for key, value in earlier.items() if key not in _OF_ONE_ATTEMPT}

    def _is_same_job(self, earlier: dict[str, Any]) -> bool:
        """Tell whether this is another start of the job of an earlier record, not a new one in the same directory.

        A single run that had completed is not tried again, but run anew.
        """
        is_sweep = bool(section(earlier, "job").get("sweep"))
        is_over = earlier.get("status") == "completed" and not is_sweep
        return not is_over and all(earlier.get(key) == value for key, value in self._same.items())

    def add(self, sections: dict[str, Any]) -> None:
        """Set sections of the record; what is written is what `support.plain` makes of them, without secrets.

        Args:
            sections: Section or key to its value, of any type; None removes it.
        """
        with self._lock:
            for key, value in sections.items():
                if value is None:
                    self.data.pop(key, None)
                else:
                    self.data[key] = plain(value) if key in _PLACES else self.redactor.data(plain(value), key)
            self._is_changed = True

    def claim(self) -> bool:
        """Write the record for the first time, unless another process is at work here: `company` tells which.

        Raises:
            OSError: As `keep`.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self.company is None and not write_new(self.path, self._text()):
                self._read_earlier()  # for who has begun since we looked
                if self.company is None:
                    write_whole(self.path, self._text())
            self.is_kept, self._is_changed = self.company is None, False
            return self.is_kept

    def keep(self) -> None:
        """Write the record now, in one step, and from now on whenever it is flushed.

        Raises:
            OSError: The file cannot be written; what was there stays.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            write_whole(self.path, self._text())
            self.is_kept, self._is_changed = True, False

    def _text(self) -> bytes:
        return text_of(self.data)

    def flush(self) -> None:
        """Write what was added since the last writing, when the record is kept.

        Raises:
            OSError: As `keep`.
        """
        with self._lock:
            if self.is_kept and self._is_changed:
                self.keep()


def text_of(record: dict[str, Any]) -> bytes:
    """Return what is in the file of a record."""
    keys = sorted(record, key=lambda key: _ORDER.get(key, len(_ORDER)))
    lines = (f" {json.dumps(key)}: {json.dumps(record[key], ensure_ascii=False)}" for key in keys)
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode(errors="backslashreplace")


def section(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a section of a record; nothing where it has none, or a foreign hand made something else of it."""
    value = data.get(name)
    return value if isinstance(value, dict) else {}


USED = ("peak_rss_bytes", "cpu_s")
"""What a register tells of the section `resources`; each as `run-<key>`."""

_ORDER = {
    key: number
    for number, key in enumerate(
        (
            *("schema", "id", "attempt", "app", "config_name", "status", "started_at", "ended_at", "duration_s", "job"),
            *("overrides", "config", "command", "cwd", "output_dir", "sweep_dir", "host", "result", "error"),
        )
    )
}  # the sections of the other callbacks follow
_PLACES = {"cwd", "output_dir", "sweep_dir", "host", "app", "config_name", "status"}  # of use only as they are
_OF_ONE_ATTEMPT = {
    *("status", "started_at", "ended_at", "duration_s", "host", "command", "config", "overrides"),
    *("result", "error", "git", "environment", "resources", "timers"),
    *("crash", "evidence"),
}
