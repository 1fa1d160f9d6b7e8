"""What do the registers and their readers cost? Each against what one would write by hand for the same question."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import io
import json
import random
import sqlite3
import sys
import time
from typing import TYPE_CHECKING, Any

from cases import Row, TrivialApp
from timing import Cost, compare, process, rounds

from hydra_callbacks.runs.record import timestamp
from hydra_callbacks.runs.register import open_register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FORMS = ("csv", "jsonl", "db")
_QUESTION = (
    *("--filter", 'model.layer_0.width<0.01 and status=completed and "adam" in optimizer.name'),
    *("--sort", "-accuracy", "--limit", "20"),
)
_PLAIN_SQL = """
import sqlite3, sys
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(len(connection.execute(\'\'\'
    SELECT * FROM runs
    WHERE "model.layer_0.width" < 0.01 AND "run-status" = 'completed' AND instr("optimizer.name", 'adam')
    ORDER BY "result.accuracy" DESC LIMIT 20\'\'\').fetchall()))
"""


def row(num: int) -> dict[str, Any]:
    """Return a row as RegisterRun writes it: of a run with this number, with forty columns."""
    chance = random.Random(num)  # noqa: S311  (the same rows in each run of the benchmark)
    return {
        **{f"model.layer_{layer}.{key}": chance.random() for layer in range(6) for key in ("width", "dropout")},
        "seed": num,
        "data.name": "digits",
        "data.path": "data/digits, raw",
        "data.shuffle": True,
        "optimizer.name": chance.choice(("adam", "sgd")),
        "optimizer.betas": [0.9, 0.999],
        "note": 'called "short"',
        "git.sha": "0123456789abcdef0123456789abcdef01234567",
        "git.is_dirty": False,
        "run-dir": f"multirun/2026-01-01/12-00-00/{num}",
        "job_success": True,
        "run-id": f"019a0000-0000-7000-8000-{num:012d}",
        "run-status": "completed" if num % 10 else "failed",
        "run-started": timestamp(1_767_225_600 + num),  # one each second, from the beginning of 2026 on
        "run-duration_s": 12.345,
        "run-error": None,
        "run-app": "train",
        "run-num": num,
        "run-attempt": 1,
        "run-host": "node17",
        "run-overrides": ["optimizer.name=adam", f"seed={num}"],
        "result.accuracy": chance.random(),
        "result.fit_s": 1.25,
    }


class Rows:
    """Many rows, made when they are needed."""

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows

    def __len__(self) -> int:  # noqa: D105  (what every collection has)
        return self._n_rows

    def __iter__(self) -> Iterator[dict[str, Any]]:  # noqa: D105  (as above)
        return map(row, range(self._n_rows))


def append(folder: Path, *, quick: bool) -> list[Row]:
    """One append, against the least that appends the same: a locked line, or an insert."""
    n_rounds = 300 if quick else 3000
    line = folder / "bare.jsonl"
    ours = {form: _adder(folder / f"ours.{form}") for form in _FORMS}
    variants = {"a locked line": _timed(lambda values: _append_line(line, values)), **ours}
    variants["an insert"] = _timed(_inserter(folder / "bare.db"))
    costs = rounds("append", variants, n_rounds)
    bare, insert = costs["a locked line"], costs["an insert"]
    return [
        Row("append", "CSV / locked append of the JSON line", "cpu", compare(costs["csv"], bare, "cpu"), limit=3.0),
        Row("append", "JSONL / locked append of the JSON line", "cpu", compare(costs["jsonl"], bare, "cpu"), limit=3.0),
        Row("append", "SQLite / insert and commit", "cpu", compare(costs["db"], insert, "cpu"), limit=2.0),
        Row("append", "SQLite / insert and commit", "wall", compare(costs["db"], insert, "wall"), limit=2.0),
    ]


def flat(folder: Path, *, quick: bool) -> list[Row]:
    """One append to a short and to a long register, in every form."""
    n_long = 20_000 if quick else 1_000_000
    variants = {}
    for form in _FORMS:
        for n_rows in (10, n_long):
            path = folder / f"{n_rows}.{form}"
            with contextlib.closing(open_register(path)) as register:
                register.merge(Rows(n_rows))
            variants[f"{form} {n_rows}"] = _adder(path, first=n_rows)
    costs = rounds("flat", variants, 300 if quick else 2000)
    return [
        Row(
            "flat",
            f"{form.upper()}: append at {n_long:,} rows / at 10",
            "cpu",
            compare(costs[f"{form} {n_long}"], costs[f"{form} 10"], "cpu"),
            limit=1.2,
        )
        for form in _FORMS
    ]


def job(folder: Path, *, quick: bool) -> list[Row]:
    """What each form adds to a job: a single run of the trivial application with RegisterRun, against one without."""
    app = TrivialApp(folder)
    register = "+hydra.callbacks.register._target_=hydra_callbacks.RegisterRun"
    runners = {"nothing": app.runner("bare")}
    for form in _FORMS:
        runners[form] = app.runner("bare", register, f"+hydra.callbacks.register.register_file=register.{form}")
    away = "postgresql://nobody@127.0.0.1:1/runs"  # to find it away costs as much as to reach it, or more
    runners["postgres"] = app.runner("bare", register, f"+hydra.callbacks.register.register_file={away}")
    costs = rounds("job", runners, 5 if quick else 31)
    names = {"csv": "CSV", "jsonl": "JSONL", "db": "SQLite", "postgres": "PostgreSQL (away)"}
    return [
        Row("job", f"a run with RegisterRun, {name} / without", "cpu", compare(costs[form], costs["nothing"], "cpu"))
        for form, name in names.items()
    ]


def list_(folder: Path, *, quick: bool) -> list[Row]:
    """The command `list` with a filter, a sort and a limit, as a whole process, against plain SQL in Python."""
    n_rows = 50_000 if quick else 1_000_000
    path, log = folder / "register.db", folder / "list.log"
    with contextlib.closing(open_register(path)) as register:
        register.merge(Rows(n_rows))
    ours = [sys.executable, "-m", "hydra_callbacks", "list", str(path), *_QUESTION]
    variants = {
        "plain SQL": lambda: process([sys.executable, "-c", _PLAIN_SQL, str(path)], cwd=folder, log=log),
        "list": lambda: process(ours, cwd=folder, log=log),
        "version": lambda: process([sys.executable, "-m", "hydra_callbacks", "--version"], cwd=folder, log=log),
    }
    costs = rounds("list", variants, 3 if quick else 15)
    peak = max(cost.peak_mb for cost in costs["list"])
    start = sorted(cost.cpu_s for cost in costs["version"])[len(costs["version"]) // 2]
    compared = f"list --filter --sort --limit 20 of {n_rows:,} / plain SQL"
    return [
        Row("list", compared, "cpu", compare(costs["list"], costs["plain SQL"], "cpu"), limit=5.0),
        Row("list", compared, "wall", compare(costs["list"], costs["plain SQL"], "wall"), limit=5.0),
        Row("list", "memory at its peak, in MB", "count", found=(f"{peak:.0f}",), is_over=peak > 400),  # noqa: PLR2004
        Row("list", "hydra-callbacks --version, CPU in s", "count", found=(f"{start:.3f}",), is_over=start > 0.15),  # noqa: PLR2004
    ]


def records(folder: Path, *, quick: bool) -> list[Row]:
    """The same question where there are records only, against reading and parsing them; in one process."""
    from hydra_callbacks.cli import list as listing  # noqa: PLC0415  (the other cases need none of it)
    from hydra_callbacks.cli import options  # noqa: PLC0415  (as above)

    files = list(_write_records(folder / "multirun", 1000 if quick else 10_000))

    def read() -> None:
        for file in files:
            with file.open("rb") as opened:
                json.loads(opened.read())

    def ask() -> None:
        gc.disable()  # as the program does
        found = options.read(
            str(folder / "multirun"),
            filter_="model.layer_0.width<0.01 and status=completed",
            sort="-accuracy",
            limit=20,
        )
        listing.run(found, None, "table", io.StringIO(), width=160)
        gc.enable()

    costs = rounds("records", {"read": _timed(lambda _: read()), "ask": _timed(lambda _: ask())}, 3 if quick else 15)
    compared = f"list --filter --sort of {len(files):,} records / reading and parsing them"
    return [
        Row("records", compared, measure, compare(costs["ask"], costs["read"], measure), limit=2.0)
        for measure in ("cpu", "wall")
    ]


def _adder(path: Path, first: int = 0) -> Callable[[], Cost]:
    """Return what registers one run as RegisterRun does, in a register that is opened for it and closed again."""

    def add(values: dict[str, Any]) -> None:
        with contextlib.closing(open_register(path)) as register:
            register.add(values)

    return _timed(add, first)


def _timed(act: Callable[[dict[str, Any]], None], first: int = 0) -> Callable[[], Cost]:
    """Return what times an act with the row of the next run, which is made before."""
    num = first

    def run() -> Cost:
        nonlocal num
        values = row(num)
        num += 1
        begun, begun_cpu = time.perf_counter(), time.process_time()
        act(values)
        return Cost(cpu_s=time.process_time() - begun_cpu, wall_s=time.perf_counter() - begun)

    return run


def _append_line(path: Path, values: dict[str, Any]) -> None:
    line = json.dumps(values) + "\n"
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(line)


def _inserter(path: Path) -> Callable[[dict[str, Any]], None]:
    """Return what inserts a row and commits, as durably as ours, into a table with the same columns and key."""
    columns = ", ".join(f'"{name}"' for name in row(0) if name != "run-id")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f'CREATE TABLE runs ("run-id" TEXT PRIMARY KEY, {columns})')

    def insert(values: dict[str, Any]) -> None:
        values = {key: json.dumps(value) if isinstance(value, list) else value for key, value in values.items()}
        names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"INSERT INTO runs ({names}) VALUES ({marks})", list(values.values()))  # noqa: S608
            connection.execute("COMMIT")

    return insert


def _write_records(sweeps: Path, n_records: int) -> Iterator[Path]:
    """Write records of thirty settings each, as RunRecord lays them out, and yield their files."""
    for num in range(n_records):
        flat_row = row(num)
        config: dict[str, Any] = {"optimizer": {}, "data": {}, "model": {f"layer_{layer}": {} for layer in range(6)}}
        for key, value in flat_row.items():
            parts = key.split(".")
            if parts[0] in config:
                inner = config[parts[0]]
                for part in parts[1:-1]:
                    inner = inner[part]
                inner[parts[-1]] = value
        folder = sweeps / "2026-01-01" / f"12-{num // 1000:02d}-00" / str(num % 1000) / ".hydra"
        folder.mkdir(parents=True)
        sections = {
            "schema": 1,
            "id": flat_row["run-id"],
            "attempt": 1,
            "app": "train",
            "config_name": "config",
            "status": flat_row["run-status"],
            "started_at": flat_row["run-started"],
            "ended_at": flat_row["run-started"],
            "duration_s": 12.345,
            "job": {"num": num % 1000, "id": f"train_{num % 1000}", "sweep": True},
            "overrides": flat_row["run-overrides"],
            "config": config,
            "command": ["train.py", "-m", "optimizer.name=adam,sgd", "seed=range(1000)"],
            "cwd": str(sweeps.parent),
            "output_dir": str(folder.parent),
            "sweep_dir": str(folder.parents[1]),
            "host": {"name": "node17", "pid": 1234, "boot_id": "0123", "user": "me", "slurm_job_id": None},
            "result": {"accuracy": flat_row["result.accuracy"], "fit_s": 1.25},
            "git": {"sha": flat_row["git.sha"], "branch": "main", "is_dirty": False},
            "resources": {"cpu_s": 11.2, "peak_rss_bytes": 512_000_000, "n_samples": 13, "interval_s": 1.0},
        }
        lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in sections.items())
        file = folder / "run.json"
        file.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
        yield file


CASES: dict[str, Callable[..., list[Row]]] = {
    "append": append,
    "flat": flat,
    "job": job,
    "list": list_,
    "records": records,
}
