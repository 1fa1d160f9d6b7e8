"""An override may hold an interpolation: it is recorded as it was given, whether it resolves or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import App


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("+out=${x}", 1),
        ("+out=${hydra:job.name}/data", "app/data"),
        ("+out=${.no_such_key}", "${.no_such_key}"),
        ("+out=${oc.env:NO_SUCH_VARIABLE}", "${oc.env:NO_SUCH_VARIABLE}"),
        ("+out=${registered.later:x}", "${registered.later:x}"),
    ],
)
def test_a_single_run_is_recorded_with_its_commit(app: App, word: str, value: object) -> None:
    sha = app.commit()
    ran = app.run("hydra/callbacks=default", word, "hydra.run.dir=one")
    assert ran.code == 0
    assert "failed" not in ran.text
    record = app.record("one")
    assert (record["status"], record["overrides"], record["config"]["out"]) == ("completed", [word], value)
    assert record["git"]["sha"] == sha


def test_a_sweep_is_planned_recorded_and_gathered(app: App) -> None:
    app.commit()
    ran = app.run("-m", "hydra/callbacks=default", "+number=${hydra:job.num}", "x=3,4", "hydra.sweep.dir=many")
    assert ran.code == 0
    assert "failed" not in ran.text
    assert [app.record(f"many/{job}")["config"]["number"] for job in (0, 1)] == [0, 1]
    first = json.loads(app.one("many/jobs.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert len(first["plan"]) == 2
    assert app.one("many/agg_results.csv").read_text(encoding="utf-8").count("completed") == 2
