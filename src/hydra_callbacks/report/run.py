"""What does the page of a run show? What it was given, what came of it, what it used, and in what it ran."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor import samples_file
from hydra_callbacks.report import again, curves, texts_of
from hydra_callbacks.report.artefacts import artefacts
from hydra_callbacks.report.failures import LONGEST_MESSAGE, traceback_of
from hydra_callbacks.report.figures import figures
from hydra_callbacks.report.head import cut, head, number, told, without_known
from hydra_callbacks.report.images import images
from hydra_callbacks.report.links import link, page_in
from hydra_callbacks.report.settings import settings
from hydra_callbacks.runs import death, environment, record
from hydra_callbacks.runs.find import Run, sweep_of
from hydra_callbacks.runs.hydra_files import redactor_of
from hydra_callbacks.runs.named_file import named_file
from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.redact import Redactor
from hydra_callbacks.support.texts import shown

if TYPE_CHECKING:
    from pathlib import Path

_MOST_RESULTS = 1000
_MOST_PACKAGES = 2000
_LONGEST_RESULT = 5000  # characters
_LONGEST_FACT = 2000  # characters


def run_data(found: Run, *, page_dir: Path | None = None, redactor: Redactor | None = None) -> dict[str, Any]:
    """Return the data of a run's page, as `report.page` draws it.

    Args:
        found: The run; of a damaged one, what else there is in its directory.
        page_dir: The directory that the page will lie in; the run's own when None.
        redactor: What takes the secrets out of texts; that of the run's configuration when None.
    """
    found = Run(str(found.directory.absolute()), found.record, found.problem)
    data, directory = found.record, found.directory
    page_dir = page_dir or directory
    if redactor is None:
        redactor = Redactor()
        redactor.learn_texts(redactor_of(directory).secrets)
    notes = [found.problem] if found.problem else []
    job = record.section(data, "job")
    num = number(job.get("num")) if job.get("sweep") else None
    sweep_dir = sweep_of(found)
    files = artefacts(directory, notes)
    pictures = images(directory, [name for name, _ in files.listed], notes)
    app = cut(str(data.get("app") or ""), 200)
    title = f"{app or 'Run'}: {f'job {num} of {sweep_dir.name}' if sweep_dir else directory.name}"
    words = [cut(str(word), _LONGEST_FACT) for word in data.get("overrides") or []]
    body = {
        "app": app,
        "status": record.status(data),
        **{key: _text(data.get(key)) for key in ("started_at", "ended_at")},
        "duration_s": number(data.get("duration_s")),
        "num": num,
        "attempt": number(data.get("attempt")) or 1,
        "host": _text(record.section(data, "host").get("name")),
        "sweep": _sweep(sweep_dir, page_dir),
        "overrides": words,
        "config": settings(record.section(data, "config"), data.get("overrides") or [], notes),
        "result": _result(data, notes),
        "error": _error(data, directory, redactor),
        **_used(data, directory, sweep_dir, num, notes),
        "git": _git(data, directory, redactor, notes),
        "environment": _environment(data, directory),
        "packages": [
            [cut(name, 200), cut(version, 500)]
            for name, version in list(environment.packages_of(data, directory).items())[:_MOST_PACKAGES]
        ],
        "console": texts_of.console(data, directory, redactor),
        "crash": texts_of.crash(data, directory, redactor),
        "artefacts": [{"path": cut(name, _LONGEST_FACT), "bytes": size} for name, size in files.listed],
        "n_files": files.n_files,
        "total_bytes": files.total_bytes,
        "images": [{**each, "path": cut(each["path"], _LONGEST_FACT)} for each in pictures],
    }
    commands = again.of_run(data, directory)
    page = {**head("run", title, str(directory), notes=notes, commands=commands), **body}  # once all notes are there
    return without_known(page, redactor)


def _sweep(directory: Path | None, page_dir: Path) -> dict[str, Any] | None:
    if directory is None:
        return None
    page = page_in(directory)
    return {"place": str(directory), "link": page and link(page, page_dir)}


def _result(data: dict[str, Any], notes: list[str]) -> list[dict[str, Any]]:
    result = data.get("result")
    flat = flatten(result) if isinstance(result, dict) else {"result": result}
    found = [(key, value) for key, value in flat.items() if isinstance(result, dict) or value is not None]
    if len(found) > _MOST_RESULTS:
        notes.append(f"of {len(found):,} results, the first {_MOST_RESULTS:,} are shown")
    return [{"key": cut(key, 500), "value": told(value, _LONGEST_RESULT)} for key, value in found[:_MOST_RESULTS]]


def _error(data: dict[str, Any], directory: Path, redactor: Redactor) -> dict[str, Any] | None:
    error, why = record.section(data, "error"), death.cause_of(data, directory)
    trace = traceback_of(data, directory, redactor)
    if not error and why is None:
        return None
    message = str(error.get("message") or "") if error else "its process is gone without a word"
    return {
        "type": cut(str(error.get("type") or "killed"), 200),
        "message": cut(redactor.text(message), LONGEST_MESSAGE),
        "traceback": trace,
        "why": why,
    }


def _used(data: dict[str, Any], directory: Path, sweep_dir: Path | None, num: Any, notes: list[str]) -> dict[str, Any]:
    """Return what the run used, and how long its parts took."""
    resources, timers = record.section(data, "resources"), record.section(data, "timers")
    top, name = sweep_dir or directory, samples_file.name_in(resources)
    file = named_file(top, name)
    if file is None and os.path.isfile(top / name):  # noqa: PTH113  (a name that no file can have is none)
        where = f"outside of the {'sweep' if sweep_dir else 'run'}'s directory"
        notes.append(f"the curves are left out: the samples are {where}; hydra-callbacks plot shows them")
    began_at = record.seconds(data.get("started_at")) or None
    return {
        "figures": figures(resources),
        "curves": curves.curves(file, num, resources, notes, began_at=began_at) if file else None,
        "timers": [
            {"name": cut(name, 200), "seconds": seconds}
            for name, value in timers.items()
            if (seconds := number(value)) is not None
        ],
    }


def _git(data: dict[str, Any], directory: Path, redactor: Redactor, notes: list[str]) -> dict[str, Any] | None:
    section = record.section(data, "git")
    if not section:
        return None
    text, is_cut = texts_of.patch(data, directory, redactor, notes)
    lacking = section.get("left_out")
    lines = [
        f"{each.get('file')}: {each.get('why')}" if isinstance(each, dict) else str(each)
        for each in (lacking if isinstance(lacking, list) else [])
    ]
    return {
        "facts": _facts({key: value for key, value in section.items() if key not in {"patch", "left_out"}}),
        "patch": text,
        "patch_is_cut": is_cut,
        "left_out": [cut(line, _LONGEST_FACT) for line in lines],
    }


def _environment(data: dict[str, Any], directory: Path) -> list[list[str]]:
    told_of = environment.facts_of(data, directory)
    facts = {key: value for key, value in told_of.items() if key not in {"packages", "file"}}
    of_host = record.section(data, "host")
    host = {f"host.{key}": of_host[key] for key in ("user", "slurm_job_id") if key in of_host}
    command = data.get("command")
    words = " ".join(map(str, command)) if isinstance(command, list) else None
    return _facts({"command": words, "directory": data.get("cwd"), **host, **facts})


def _facts(section: dict[str, Any]) -> list[list[str]]:
    """Return the names and values of a section as texts; what is not told is left out."""
    flat = flatten(section)
    return [[cut(key, 200), cut(shown(value), _LONGEST_FACT)] for key, value in flat.items() if value not in (None, {})]


def _text(value: Any) -> str | None:
    return cut(value, 200) if isinstance(value, str) else None
