"""Data of report pages, as src/hydra_callbacks/report makes it: for tests, screenshots and measurements."""

from __future__ import annotations

import base64
import math
import random
import struct
import zlib
from datetime import datetime, timedelta, timezone
from typing import Any

START = datetime(2026, 11, 20, 9, 54, 35, tzinfo=timezone.utc)


def picture(width: int, height: int) -> str:
    """Return the address of a small PNG: a blue curve that falls, on white."""
    lines = [b"\0" + bytes(255 * (abs(y - height * 20 / (x + 20)) > 2) for x in range(width)) for y in range(height)]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    palette = bytes((0, 114, 178)) + b"\xff" * 765
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"PLTE", palette), chunk(b"IDAT", zlib.compress(b"".join(lines))))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


TRACEBACK = """Traceback (most recent call last):
  File "/home/ada/digits/train.py", line 41, in main
    model.fit(inputs, labels)
  File "/home/ada/digits/model.py", line 97, in fit
    raise FloatingPointError(f"loss is {loss} at step {step}")
FloatingPointError: loss is nan at step 118
"""
PATCH = """diff --git a/model.py b/model.py
index 3b18e51..a9c2f0d 100644
--- a/model.py
+++ b/model.py
@@ -88,7 +88,9 @@ def fit(self, inputs, labels):
     for step, batch in enumerate(batches(inputs, labels)):
-        loss = self.step(batch)
+        with timer("step"):
+            loss = self.step(batch)
+            self.history.append(loss)
         if not math.isfinite(loss):
             raise FloatingPointError(f"loss is {loss} at step {step}")
diff --git a/conf/überblick.yaml b/conf/überblick.yaml
new file mode 100644
--- /dev/null
+++ b/conf/überblick.yaml
@@ -0,0 +1,3 @@
+lr: 0.01
+# größer, wenn der Speicher reicht
+batch: 64
"""


def when(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def common(kind: str, title: str, place: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "title": title,
        "place": place,
        "made_at": when(9000),
        "version": "1.0.0",
        "notes": [],
        "commands": [
            {"label": "resume", "command": f"hydra-callbacks resume '{place}'"},
            {"label": "watch", "command": f"hydra-callbacks watch '{place}'"},
        ],
    }


def column(
    name: str, role: str, kind: str = "number", label: str | None = None, *, is_log: bool = False
) -> dict[str, Any]:
    return {"name": name, "label": name if label is None else label, "kind": kind, "role": role, "is_log": is_log}


def sweep(n_jobs: int = 100, *, seed: int = 7, n_workers: int = 4) -> dict[str, Any]:
    """Return a sweep of three overrides, with jobs that failed, and some that never started."""
    chance = random.Random(seed)  # noqa: S311  (no secret)
    rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1]
    names = ["adam", "sgd", "rmsprop", "lion"]
    rows: dict[str, list[Any]] = {"lr": [], "optimizer": [], "model.width": [], "accuracy": [], "loss": []}
    jobs: dict[str, list[Any]] = {key: [] for key in ("link", "words", "begins_s", "worker", "error")}
    states: list[str] = []
    durations: list[float | None] = []
    peaks: list[int | None] = []
    free = [0.0] * n_workers
    for num in range(n_jobs):
        rate, optimizer, width = chance.choice(rates), chance.choice(names), chance.choice([16, 32, 64, 128, 256])
        fit = (
            -abs(math.log10(rate) + 2.2) * 0.09 + {"adam": 0.03, "lion": 0.02, "rmsprop": 0.0, "sgd": -0.06}[optimizer]
        )
        accuracy = min(0.995, 0.9 + fit + math.log2(width) * 0.008 + chance.gauss(0, 0.012))
        draw = chance.random()
        status = "failed" if draw < 0.07 else "interrupted" if draw < 0.08 else "lost" if draw < 0.09 else "completed"
        if num >= n_jobs - max(1, n_jobs // 33):
            status = "missing"
        is_done, is_there = status == "completed", status != "missing"
        worker = free.index(min(free))
        duration = round((20 + width * 0.3) * chance.uniform(0.8, 1.3) * (1 if is_done else 0.4), 3)
        values = (
            rate,
            optimizer,
            width,
            round(accuracy, 4) if is_done else None,
            round(1.2 - accuracy + abs(chance.gauss(0, 0.05)), 4) if is_done else None,
        )
        for key, value in zip(rows, values, strict=True):
            rows[key].append(value)
        kind = {"failed": num % 2, "lost": 2}.get(status)
        states.append(status)
        jobs["link"].append(f"{num}/" if is_there else None)
        jobs["words"].append(f"lr={rate:.0e} optimizer={optimizer} model.width={width}")
        jobs["begins_s"].append(round(free[worker], 3) if is_there else None)
        durations.append(duration if is_there and status != "lost" else None)
        jobs["worker"].append(f"node{worker // 2} process {4100 + worker}" if is_there else None)
        peaks.append(int(2e8 + width * 4e6 * chance.uniform(0.9, 1.1)) if is_there else None)
        jobs["error"].append(kind)
        if is_there:
            free[worker] += duration + chance.uniform(0.5, 4)
    kinds = [
        ("FloatingPointError", "loss is nan at step 118", TRACEBACK),
        (
            "OutOfMemoryError",
            "tried to allocate 2.50 GiB; 1.10 GiB of 23.69 GiB are free",
            TRACEBACK.replace("FloatingPoint", "OutOfMemory"),
        ),
        ("killed", "the kernel ended it: out of memory", None),
    ]
    errors = []
    for index, (name, message, trace) in enumerate(kinds):
        found = [row for row, kind in enumerate(jobs["error"]) if kind == index]
        errors.append({"type": name, "message": message, "rows": found, "traceback": trace, "count": len(found)})
    done = [row for row in range(n_jobs) if rows["accuracy"][row] is not None]
    best = max(done, key=lambda row: rows["accuracy"][row]) if done else None
    words = "" if best is None else jobs["words"][best]
    texts = [None if kind is None else f"{kinds[kind][0]}: {kinds[kind][1]}" for kind in jobs["error"]]
    span = max(free)
    return {
        **common("sweep", "train: 2026-11-20/09-54-35", "/home/ada/digits/multirun/2026-11-20/09-54-35"),
        "app": "train",
        "status": "failed",
        "started_at": when(0),
        "ended_at": when(span),
        "duration_s": round(span, 3),
        "counts": {state: states.count(state) for state in dict.fromkeys(states)},
        "launches_s": [0],
        "idle_s": 0,
        "metric": {
            "name": "accuracy",
            "is_max": True,
            "is_guessed": True,
            "candidates": [
                {"name": "accuracy", "is_max": True, "is_guessed": True},
                {"name": "loss", "is_max": False, "is_guessed": True},
            ],
        },
        "best": None if best is None else {"row": best, "value": rows["accuracy"][best], "words": words, "num": best},
        "columns": [
            column("", "head", label="job"),
            column("run-status", "head", "category", "status"),
            column("run-duration_s", "head", label="duration (s)"),
            column("lr", "override", is_log=True),
            column("optimizer", "override", "category"),
            column("model.width", "override", is_log=True),
            column("accuracy", "result"),
            column("loss", "result"),
            column("run-peak_rss_bytes", "tail", label="peak memory (bytes)"),
            column("run-error", "tail", "text", "error"),
        ],
        "values": {
            "": list(range(n_jobs)),
            "run-status": states,
            "run-duration_s": durations,
            **rows,
            "run-peak_rss_bytes": peaks,
            "run-error": texts,
        },
        "jobs": jobs,
        "errors": [error for error in errors if error["count"]],
        "importance": {
            "method": "Share of the variance of accuracy that the means by each override explain",
            "n_jobs": len(done),
            "is_enough": n_jobs >= 20,
            "why_not": None if n_jobs >= 20 else f"{len(done)} jobs are too few to tell: at least 20 are needed",
            "shares": [
                {"name": "lr", "share": 0.58},
                {"name": "optimizer", "share": 0.29},
                {"name": "model.width", "share": 0.07},
            ]
            if n_jobs >= 20
            else [],
        },
    }


def run(n_points: int = 1000) -> dict[str, Any]:
    """Return a run with five panels of curves, phases, a patch, a console and pictures."""
    chance = random.Random(3)  # noqa: S311  (no secret)
    length = 724.0
    times = [round(index * length / n_points, 3) for index in range(n_points)]
    phases = [("load", 0.0, 61.0), ("train", 61.0, 640.0), ("evaluate", 640.0, 724.0)]

    def curve(idle: float, load: float, busy: float, noise: float) -> list[float | None]:
        level = [idle if time < 61 else busy if time < 640 else load for time in times]
        values = [round(max(0, one + chance.gauss(0, noise)), 3) for one in level]
        return [None if 300 < index < 306 else value for index, value in enumerate(values)]

    memory = [round(0.4 + min(time, 300) / 300 * 2.1 + chance.gauss(0, 0.02), 4) for time in times]
    panels = [
        {
            "title": "Processor",
            "unit": "% of one core",
            "series": [{"name": "the job", "values": curve(90, 140, 310, 25)}],
            "mark": None,
        },
        {
            "title": "Memory",
            "unit": "GiB",
            "series": [
                {"name": "resident", "values": memory},
                {"name": "control group", "values": [round(value * 1.12, 4) for value in memory]},
            ],
            "mark": {"value": 3.1, "label": "kernel's peak"},
        },
        {
            "title": "GPU",
            "unit": "% busy",
            "series": [
                {
                    "name": f"gpu{index}",
                    "values": [
                        None if value is None else min(100, value) for value in curve(2, 40, 91 - 20 * index, 4)
                    ],
                }
                for index in range(2)
            ],
            "mark": None,
        },
        {
            "title": "Disk",
            "unit": "MiB/s",
            "series": [
                {"name": "read", "values": curve(140, 20, 3, 9)},
                {"name": "written", "values": curve(1, 30, 2, 1)},
            ],
            "mark": None,
        },
    ]
    config = [
        ("lr", "0.003", True),
        ("optimizer", "lion", True),
        ("data.path", "/home/ada/données/chiffres d'été", True),
    ]
    config += [
        ("model.width", "128", False),
        ("model.depth", "4", False),
        ("seed", "1", False),
        ("batch", "64", False),
        ("workers", "8", False),
    ]
    config += [(f"schedule.step_{index}.after_epoch", str(index * 10), False) for index in range(24)]
    lines = [
        f"[2026-11-20 10:0{index % 10}:12][train][INFO] - epoch {index}: loss {1 / (index + 1):.4f},"
        f" accuracy {1 - 0.5 / (index + 1):.4f}"
        for index in range(60)
    ]
    return {
        **common("run", "train: job 17 of 09-54-35", "/home/ada/digits/multirun/2026-11-20/09-54-35/17"),
        "commands": [{"label": "reproduce", "command": "hydra-callbacks reproduce 'multirun/2026-11-20/09-54-35/17'"}],
        "app": "train",
        "status": "failed",
        "started_at": when(0),
        "ended_at": when(length),
        "duration_s": length,
        "num": 17,
        "attempt": 2,
        "host": "node3",
        "sweep": {"place": "/home/ada/digits/multirun/2026-11-20/09-54-35", "link": "../report.html"},
        "overrides": ["lr=0.003", "optimizer=lion", 'data.path="/home/ada/données/chiffres d\'été"'],
        "config": [{"key": key, "value": value, "is_overridden": is_own} for key, value, is_own in config],
        "result": [
            {"key": "accuracy", "value": 0.9731},
            {"key": "loss", "value": 0.08712345678},
            {"key": "confusion.worst", "value": "8 taken for 3"},
        ],
        "error": {
            "type": "FloatingPointError",
            "message": "loss is nan at step 118",
            "traceback": TRACEBACK,
            "why": None,
        },
        "figures": [
            {"label": "peak memory", "value": "3.1 GiB", "hint": "78 % of the control group's"},
            {"label": "processor time", "value": "31 min 12 s", "hint": None},
            {"label": "mean processor use", "value": "259 %", "hint": "100 % is one core"},
            {"label": "GPU 0", "value": "84 % busy", "hint": "11.2 of 23.7 GiB"},
            {"label": "read from disk", "value": "8.6 GiB", "hint": None},
        ],
        "curves": {
            "time_s": times,
            "panels": panels,
            "phases": [{"name": name, "began_s": began, "ended_s": ended} for name, began, ended in phases],
            "n_samples": 7240,
            "is_thinned": True,
        },
        "timers": [
            {"name": "load", "seconds": 61.2},
            {"name": "train", "seconds": 579.1},
            {"name": "train/step", "seconds": 402.5},
            {"name": "evaluate", "seconds": 83.9},
        ],
        "git": {
            "facts": [
                ["sha", "818ad9f0c1d54be0a6d2a4f0c7f3b52e91a4d00c"],
                ["branch", "größere-modelle"],
                ["is_dirty", "true"],
                ["remote", "git@example.org:ada/digits.git"],
            ],
            "patch": PATCH,
            "patch_is_cut": False,
            "left_out": ["weights.bin: 209.8 MiB, larger than 1.0 MiB"],
        },
        "environment": [
            ["command", "train.py -m lr=0.003 optimizer=lion"],
            ["directory", "/home/ada/digits"],
            ["host.user", "ada"],
            ["python", "3.11.7"],
            ["platform", "Linux-6.1.0-x86_64"],
        ],
        "packages": [[f"package-{index}", f"{index % 7}.{index % 13}.0"] for index in range(60)],
        "console": {"text": "\n".join([*lines, f"epoch 60: 100% |{'#' * 10}|"]), "is_cut": True},
        "crash": None,
        "artefacts": [
            {"path": "checkpoints/last.ckpt", "bytes": 220_301_112},
            {"path": "confusion matrix.png", "bytes": 41_233},
            {"path": "résultats.json", "bytes": 512},
        ],
        "n_files": 812,
        "total_bytes": 320_342_857,
        "images": [
            {"path": "curves/loss.png", "uri": picture(320, 200), "width": 320, "height": 200},
            {"path": "pixel.png", "uri": picture(1, 1), "width": 1, "height": 1},
        ],
    }


def register(n_runs: int = 300) -> dict[str, Any]:
    """Return a register of three applications, over two months."""
    chance = random.Random(11)  # noqa: S311  (no secret)
    apps = ["train", "évaluer", "distill_a_rather_long_application_name"]
    starts = sorted(chance.uniform(-60, 0) * 86400 for _ in range(n_runs))
    status = [
        chance.choices(["completed", "failed", "lost", "interrupted", "running"], [86, 8, 2, 3, 1])[0] for _ in starts
    ]
    app = [chance.choices(apps, [6, 3, 1])[0] for _ in starts]
    duration = [None if one == "running" else round(chance.lognormvariate(6.5, 1.1), 3) for one in status]
    rates = [chance.choice([1e-4, 1e-3, 1e-2]) for _ in starts]
    accuracy = [round(chance.betavariate(12, 2), 4) if one == "completed" else None for one in status]
    places = [f"outputs/2026-10/{index:03d}" for index in range(n_runs)]
    by_app = []
    for name in apps:
        own = [index for index in range(n_runs) if app[index] == name]
        done = [index for index in own if accuracy[index] is not None]
        best = max(done, key=lambda index: accuracy[index] or 0, default=None)
        found = (
            None
            if best is None
            else {
                "row": best,
                "name": "accuracy",
                "is_max": True,
                "value": accuracy[best],
                "words": f"lr={rates[best]}",
            }
        )
        counts = {state: sum(status[index] == state for index in own) for state in dict.fromkeys(status)}
        by_app.append(
            {
                "app": name,
                "n_runs": len(own),
                "counts": counts,
                "hours": round(sum(duration[index] or 0 for index in own) / 3600, 4),
                "best": found,
            }
        )
    return {
        **common("register", "Runs in digits", "/home/ada/digits/register.csv"),
        "notes": ["outputs/2026-09/004: the record ends in the middle"],
        "columns": [
            column("run-dir", "head", "text", "run"),
            column("run-app", "head", "category", "app"),
            column("run-status", "head", "category", "status"),
            column("run-started", "head", "text", "started"),
            column("run-duration_s", "head", label="duration (s)"),
            column("lr", "config", is_log=True),
            column("result.accuracy", "result", label="accuracy"),
            column("run-host", "tail", "category", "host"),
            column("git.is_dirty", "tail", "boolean", "dirty"),
        ],
        "values": {
            "run-dir": places,
            "run-app": app,
            "run-status": status,
            "run-started": [when(start) for start in starts],
            "run-duration_s": duration,
            "lr": rates,
            "result.accuracy": accuracy,
            "run-host": [f"node{index % 3}" for index in range(n_runs)],
            "git.is_dirty": [index % 4 == 0 for index in range(n_runs)],
        },
        "by_app": by_app,
        "runs": {
            "path": [f"/home/ada/digits/{place}" if index % 7 else None for index, place in enumerate(places)],
            "link": [f"{place}/report.html" if index % 5 else None for index, place in enumerate(places)],
        },
    }
