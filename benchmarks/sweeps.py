"""What does a sweep's journal cost, and what do its readers? Each against the least work that anybody would have."""

from __future__ import annotations

import fcntl
import gc
import io
import json
import shutil
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from cases import Row, TrivialApp
from timing import Cost, compare, process, rounds

from hydra_callbacks.runs.gather import table_of
from hydra_callbacks.runs.journal import FILE_NAME, JobJournal
from hydra_callbacks.runs.record import timestamp
from hydra_callbacks.runs.sweep import SweepReader, read_sweep
from hydra_callbacks.runs.table_files import write_table
from hydra_callbacks.support.process import host_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_N_RATES = 20
_N_WORKERS = 8
_BEGUN = 1_767_225_600  # the beginning of 2026
_RESULT = "results.json"
_MOST_MB = 100
_MOST_JOURNAL_MS = 1.0
_MOST_LOOK_MS = 50.0
_MEMORY = """
import gc, marshal, resource, sys
from pathlib import Path
from hydra_callbacks.runs import gather, sweep, table_files

def peak_kb():
    try:  # what Linux tells in the other way includes the process that started this one
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)

gc.disable()
what, place, kept = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
if what == "gather":
    found = sweep.read_sweep(place)
    table = gather.table_of(found.jobs, place)
    table_files.write_table(table, place / "agg_results.csv")
    print(peak_kb())
    with kept.open("wb") as file:
        marshal.dump((table.columns, table.overrides, table.results, table.words), file)
else:
    with kept.open("rb") as file:
        table = marshal.load(file)
    print(peak_kb())
"""


class Template:
    """The files of a sweep with one job, as Hydra and the preset `default` write them, to be multiplied.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        TrivialApp(folder)
        app = folder / "trivial"
        words = ("--config-name=default", "--multirun", "learning_rate=0.1", "seed=0", "hydra.sweep.dir=multirun/one")
        process([sys.executable, "app.py", *words], cwd=app, log=folder / "template.log")
        sweep = app / "multirun" / "one"
        job = sweep / "0" / ".hydra"
        self.launch, self.running, self.completed, self.end = map(json.loads, (sweep / FILE_NAME).open("rb"))
        self.record = json.loads((job / "run.json").read_bytes())
        self.hydra = {name: (job / name).read_text() for name in ("config.yaml", "hydra.yaml", "overrides.yaml")}
        shutil.rmtree(app)


class Sweep:
    """A sweep that is laid out as the program does it: a grid of learning rates and seeds, three results for each job.

    Args:
        folder: Where its directory is made.
        template: What its files look like.
        n_jobs: How many jobs it has.
        records: Whether there are run records; else Hydra's own files stand there.
        n_listed: How many jobs have ended according to the journal, which has no end then; None for all.
    """

    def __init__(
        self, folder: Path, template: Template, n_jobs: int, *, records: bool = True, n_listed: int | None = None
    ) -> None:
        self.place = folder
        self.n_jobs = n_jobs
        self._template = template
        folder.mkdir()
        for num in range(n_jobs if n_listed is None else n_listed + _N_WORKERS):  # those that have started
            self._write_job(num, records=records)
        self._journal, self._away = folder / FILE_NAME, folder.with_suffix(".away")
        if records:
            self._write_journal(n_listed)
        self.results = [folder / str(num) / _RESULT for num in range(n_jobs)]

    def overrides(self, num: int) -> list[str]:
        """Return those of a job."""
        n_seeds = self.n_jobs // _N_RATES
        return [f"learning_rate={(num // n_seeds + 1) / 1000}", f"seed={num % n_seeds}"]

    def lines(self, num: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the journal tells of a job at its start and at its end."""
        told = {"job": num, "overrides": self.overrides(num), "started_at": timestamp(_BEGUN + num)}
        running, completed = self._template.running | told, self._template.completed | told
        peak = completed.pop("peak_rss_bytes")
        return running, completed | {"result": _result(num), "peak_rss_bytes": peak + num}

    def lists(self, *, is_there: bool) -> None:
        """Put the journal there, or away."""
        here, there = (self._away, self._journal) if is_there else (self._journal, self._away)
        if here.exists():
            here.rename(there)

    def gather(self) -> None:
        """Do the work of `hydra-callbacks gather`."""
        found = read_sweep(self.place)
        table = table_of(found.jobs, self.place)
        write_table(table, self.place / "agg_results.csv")
        if len(table.columns["run-status"]) != self.n_jobs:
            msg = f"expected {self.n_jobs} rows, got {len(table.columns['run-status'])}: {found.problems[:1]}"
            raise RuntimeError(msg)

    def read_results(self) -> None:
        """Read what every gatherer has to read, and nothing else."""
        for file in self.results:
            file.read_bytes()

    def _write_job(self, num: int, *, records: bool) -> None:
        folder = self.place / str(num)
        (folder / ".hydra").mkdir(parents=True)
        (folder / _RESULT).write_text(json.dumps(_result(num)))
        words = self.overrides(num)
        if not records:
            texts = {**self._template.hydra, "overrides.yaml": "".join(f"- {word}\n" for word in words)}
            texts["hydra.yaml"] = texts["hydra.yaml"].replace("\n    num: 0\n", f"\n    num: {num}\n")
            for name, text in texts.items():
                (folder / ".hydra" / name).write_text(text)
            return
        record = self._template.record
        sections = {
            **{key: value for key, value in record.items() if key not in {"git", "resources"}},
            "id": _id(num),
            "started_at": timestamp(_BEGUN + num),
            "ended_at": timestamp(_BEGUN + num + 12),
            "job": {"num": num, "id": str(num), "sweep": True},
            "overrides": words,
            "output_dir": str(folder),
            "sweep_dir": str(self.place),
            "result": _result(num),
            "git": record["git"],
            "resources": {**record["resources"], "peak_rss_bytes": record["resources"]["peak_rss_bytes"] + num},
        }
        lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in sections.items())
        (folder / ".hydra" / "run.json").write_text(f"{{\n{lines}\n}}\n")

    def _write_journal(self, n_listed: int | None) -> None:
        plan = [*map(self.overrides, range(self.n_jobs))]
        launch = {**self._template.launch, "at": timestamp(_BEGUN), "plan": plan, "n_planned": len(plan)}
        lines = [launch if n_listed is None else {**launch, "host": host_facts()}]
        n_ended = self.n_jobs if n_listed is None else n_listed
        for num in range(min(n_ended + _N_WORKERS, self.n_jobs + _N_WORKERS)):
            if num < self.n_jobs:
                running = self.lines(num)[0]
                lines.append(running if n_listed is None else {**running, "host": host_facts()})
            if num >= _N_WORKERS:
                lines.append(self.lines(num - _N_WORKERS)[1])
        if n_listed is None:
            lines.append({**self._template.end, "at": timestamp(_BEGUN + self.n_jobs)})
        self._journal.write_text("".join(map(_line, lines)))


def gather(folder: Path, *, quick: bool) -> list[Row]:
    """A whole sweep as one table, from its journal, its run records, or Hydra's own files."""
    template = Template(folder / "template")
    n_jobs, n_many, n_bare = (2000, 10_000, 500) if quick else (10_000, 100_000, 2000)
    found = []
    for n, limits, n_rounds in (
        (n_jobs, {"journal": 0.30, "records": 1.60}, 5 if quick else 21),
        (n_many, {}, 2),
    ):
        sweep = Sweep(folder / f"sweep-{n}", template, n)
        found += _gathered(sweep, n_rounds, limits)
        found += _memory(sweep, folder, dict.fromkeys(limits, _MOST_MB))
        shutil.rmtree(sweep.place)
    bare = Sweep(folder / "bare", template, n_bare, records=False)
    costs = rounds("gather", {"read": _timed(bare.read_results), "files": _timed(bare.gather)}, 2 if quick else 5)
    compared = f"{n_bare:,} jobs with Hydra's own files alone / reading their results"
    return [*found, Row("gather", compared, "cpu", compare(costs["files"], costs["read"], "cpu"))]


def _gathered(sweep: Sweep, n_rounds: int, limits: dict[str, float]) -> list[Row]:
    variants = {
        "read": _timed(sweep.read_results),
        "journal": _timed(sweep.gather, lambda: sweep.lists(is_there=True)),
        "records": _timed(sweep.gather, lambda: sweep.lists(is_there=False)),
    }
    costs = rounds("gather", variants, n_rounds)
    return [
        Row(
            "gather",
            f"{sweep.n_jobs:,} jobs from the {what} / reading their results",
            measure,
            compare(costs[what], costs["read"], measure),
            limit=limits.get(what),
        )
        for what in ("journal", "records")
        for measure in ("cpu", "wall")
    ]


def _memory(sweep: Sweep, folder: Path, limits: dict[str, int]) -> list[Row]:
    """Tell how much memory gathering takes at its peak, above that of a process which only has the same table."""
    rows, log = [], folder / "memory.log"
    for what in ("journal", "records"):
        sweep.lists(is_there=what == "journal")
        peaks = []
        for part in ("gather", "hold"):
            words = (part, str(sweep.place), str(folder / "table"))
            process([sys.executable, "-c", _MEMORY, *words], cwd=folder, log=log)
            peaks.append(int(log.read_text()) * 1.024 / 1000)
        above = peaks[0] - peaks[1]
        is_over = above > limits[what] if what in limits else False
        name = f"{sweep.n_jobs:,} jobs from the {what}: peak memory above the table's, in MB (the whole peak)"
        rows.append(Row("gather", name, "count", found=(f"{above:.0f} ({peaks[0]:.0f})",), is_over=is_over))
    return rows


def journal(folder: Path, *, quick: bool) -> list[Row]:
    """The two lines that a job adds to a long journal, against two locked appends of the same by hand."""
    sweep = Sweep(folder / "sweep", Template(folder / "template"), 1000 if quick else 10_000)
    by_hand = sweep.place / "by_hand.jsonl"
    shutil.copy(sweep.place / FILE_NAME, by_hand)
    variants = {"by hand": _timed(lambda: _append_two(by_hand, sweep)), "journal": _timed(lambda: _keep_two(sweep))}
    costs = rounds("journal", variants, 300 if quick else 3000)
    return [
        Row("journal", "a job's two lines / two locked appends by hand", "cpu", compare(*_pair(costs), "cpu")),
        _figure("journal", "a job's two lines", costs["journal"], _MOST_JOURNAL_MS),
    ]


def watch(folder: Path, *, quick: bool) -> list[Row]:
    """One look of `hydra-callbacks watch` at a long sweep, after one more line, against the first look at it."""
    from hydra_callbacks.cli import watch as watching  # noqa: PLC0415  (the other cases need none of it)
    from hydra_callbacks.runs.view import view_of  # noqa: PLC0415  (as above)

    n_rounds = 5 if quick else 31
    n_jobs = 1000 if quick else 10_000
    sweep = Sweep(folder / "sweep", Template(folder / "template"), n_jobs, n_listed=n_jobs - 2 * n_rounds - 20)
    reader = SweepReader(sweep.place)
    num = n_jobs - 2 * n_rounds - 20 - 1

    def append() -> None:
        nonlocal num
        num += 1
        with (sweep.place / FILE_NAME).open("a") as file:
            file.write(_line(sweep.lines(num)[1]))

    def show() -> None:
        watching.run(view_of(reader.read(), "accuracy"), io.StringIO(), width=120)

    variants = {
        "first": _timed(lambda: view_of(SweepReader(sweep.place).read(), "accuracy")),
        "again": _timed(lambda: view_of(reader.read(), "accuracy"), append),
        "shown": _timed(show, append),
    }
    costs = rounds("watch", variants, n_rounds)
    compared = f"a look at {n_jobs:,} jobs after one more line"
    return [
        Row("watch", f"{compared} / the first look", "cpu", compare(costs["again"], costs["first"], "cpu")),
        _figure("watch", compared, costs["again"], _MOST_LOOK_MS),
        _figure("watch", f"{compared}, and its panel", costs["shown"], _MOST_LOOK_MS),
    ]


def _figure(name: str, what: str, costs: list[Cost], most_ms: float) -> Row:
    found_ms = statistics.median(cost.cpu_s for cost in costs) * 1e3
    return Row(name, f"{what}, CPU in ms", "count", found=(f"{found_ms:.2f}",), is_over=found_ms > most_ms)


def _pair(costs: dict[str, list[Cost]]) -> tuple[list[Cost], list[Cost]]:
    return costs["journal"], costs["by hand"]


def _timed(act: Callable[[], Any], before: Callable[[], None] | None = None) -> Callable[[], Cost]:
    """Return what times an act, without the collector of cycles, as the program does."""

    def run() -> Cost:
        if before:
            before()
        gc.collect()
        gc.disable()
        begun, begun_cpu = time.perf_counter(), time.process_time()
        act()
        cost = Cost(cpu_s=time.process_time() - begun_cpu, wall_s=time.perf_counter() - begun)
        gc.enable()
        return cost

    return run


def _keep_two(sweep: Sweep) -> None:
    running, completed = sweep.lines(sweep.n_jobs)
    kept = ("job", "overrides", "started_at")
    lines = JobJournal(sweep.place, {"dir": str(running["job"]), "attempt": 1, **{key: running[key] for key in kept}})
    lines.result_file = _RESULT
    lines.keep()
    lines.end(
        "completed", {key: completed[key] for key in ("duration_s", "result", "peak_rss_bytes")}, is_recorded=True
    )


def _append_two(path: Path, sweep: Sweep) -> None:
    for line in sweep.lines(sweep.n_jobs):
        text = _line(line)
        with path.open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(text)


def _line(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n"


def _id(num: int) -> str:
    return f"019a0000-0000-7000-8000-{num:012d}"


def _result(num: int) -> dict[str, float]:
    return {"accuracy": (num * 7919 % 10_007) / 10_007, "loss": (num * 6007 % 9973) / 997, "fit_s": num % 977 / 7}


CASES: dict[str, Callable[..., list[Row]]] = {"gather": gather, "journal": journal, "watch": watch}
