"""Report: the page is there when the run or sweep has ended, whatever became of it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks import Report
from hydra_callbacks.errors import SettingError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

REPORT: dict[str, Any] = {"_target_": "hydra_callbacks.Report"}
RECORD: dict[str, Any] = {"_target_": "hydra_callbacks.RunRecord"}


def shown(page: Path) -> dict[str, Any]:
    """Return the data that a page holds."""
    text = page.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    return dict(json.loads(data))


@pytest.mark.parametrize(("fail_at", "status"), [("-1", "completed"), ("1", "failed")])
@pytest.mark.parametrize("order", [[REPORT, RECORD], [RECORD, REPORT]])
def test_a_single_run_has_its_page_failed_or_not(
    app: App, fail_at: str, status: str, order: list[dict[str, Any]]
) -> None:
    app.callbacks(*order)
    done = app.run(f"fail_at={fail_at}")
    page = app.one("outputs/*/*/report.html")
    data = shown(page)
    assert (data["kind"], data["status"]) == ("run", status), done.text
    assert (data["error"] or {}).get("type") == (None if status == "completed" else "ValueError")
    assert data["commands"][0]["command"] == f"python app.py fail_at={fail_at}"
    assert f"Report: {page}" in done.out


@pytest.mark.parametrize("launcher", [(), ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")])
def test_a_sweep_has_one_page_for_all_its_jobs(app: App, launcher: tuple[str, ...]) -> None:
    app.callbacks({**REPORT, "metric": "double", "direction": "min"}, RECORD)
    done = app.run("-m", "x=1,2,3", "fail_at=2", *launcher)
    assert done.code == 1
    data = shown(app.one("multirun/*/*/report.html"))
    assert (data["kind"], data["status"], data["counts"]) == ("sweep", "failed", {"completed": 2, "failed": 1})
    assert (data["best"]["num"], data["metric"]["is_max"]) == (0, False)
    assert data["jobs"]["link"] == ["0/", "1/", "2/"]


def test_its_metric_is_compared_in_the_way_that_the_gatherer_was_told(app: App) -> None:
    gatherer = {"_target_": "hydra_callbacks.MultiRunGatherer", "metric": "double", "direction": "min"}
    app.callbacks({**REPORT, "metric": "double"}, RECORD, gatherer)
    app.run("-m", "x=1,2")
    data = shown(app.one("multirun/*/*/report.html"))
    assert (data["metric"]["is_max"], data["metric"]["is_guessed"], data["best"]["num"]) == (False, False, 0)


def test_a_metric_that_is_not_there_is_told_on_the_terminal_too(app: App) -> None:
    app.callbacks({**REPORT, "metric": "nosuch"}, RECORD)
    done = app.run("-m", "x=1,2")
    told = "Report: no job has a number in 'nosuch'; the page compares the jobs by double"
    assert f"[HYDRA] {told}\n" in done.out, done.text
    assert shown(app.one("multirun/*/*/report.html"))["metric"]["name"] == "double"
    assert "no job has a number" not in app.run().text, "of a single run nothing is compared"
    for metric in ("double", "result.double"):
        app.callbacks({**REPORT, "metric": metric}, RECORD)
        assert "no job has a number" not in app.run("-m", "x=1,2", f"hydra.sweep.dir={metric}").text


def test_without_any_result_the_metric_is_told_to_be_missing(app: App) -> None:
    app.callbacks({**REPORT, "metric": "nosuch"}, RECORD)
    done = app.run("-m", "x=1", "fail_at=1")
    assert "no job has a number in 'nosuch'; the page compares no jobs" in done.out, done.text


def test_alone_it_tells_what_became_of_the_jobs_and_what_they_found(app: App) -> None:
    app.callbacks(REPORT)
    app.run("-m", "x=1,2,3", "fail_at=2")
    data = shown(app.one("multirun/*/*/report.html"))
    assert data["counts"] == {"completed": 2, "failed": 1}
    assert data["values"]["double"] == [2, None, 6]
    app.run()
    assert shown(app.one("outputs/*/*/report.html"))["status"] == "unknown", "nobody has recorded it"


def test_an_interrupted_run_has_its_page(app: App) -> None:
    app.callbacks(REPORT, RECORD)
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    app.write("app.py", text.replace("    return cfg.x", "    import time; time.sleep(60)"))
    app.interrupt(when="outputs/*/*/results.json")
    assert shown(app.one("outputs/*/*/report.html"))["status"] == "interrupted"


def test_no_secret_of_the_configuration_is_in_the_page(app: App) -> None:
    app.callbacks(REPORT, RECORD, more="db: {password: sesame-open-42}\n")
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    leak = '    logging.getLogger("app").info("connecting with %s", cfg.db.password)\n'
    app.write("app.py", text.replace("    if cfg.x ==", f"{leak}    if cfg.x =="))
    app.run()
    page = app.one("outputs/*/*/report.html")
    assert "connecting with" in str(shown(page)["console"])
    assert b"sesame" not in page.read_bytes()


def test_a_file_of_the_users_own_is_not_written_over(app: App) -> None:
    app.callbacks(REPORT, RECORD)
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    own = '    output_dir.joinpath("report.html").write_text("<h1>mine</h1>")\n'
    app.write("app.py", text.replace("    return cfg.x", f"{own}    return cfg.x"))
    done = app.run()
    assert done.code == 0
    assert app.one("outputs/*/*/report.html").read_text() == "<h1>mine</h1>"
    assert "Report.launch_ended failed; the run goes on: " in done.out
    assert "no report of hydra-callbacks; it stays: give the page another name" in done.out
    app.callbacks({**REPORT, "file": "page.html"}, RECORD)
    for _ in range(2):
        app.run("hydra.run.dir=again")
    data = shown(app.directory / "again" / "page.html")
    assert data["kind"] == "run"
    assert "page.html" not in [each["path"] for each in data["artefacts"]], "it is no file of the run's own"


def test_a_page_of_an_earlier_attempt_is_replaced(app: App) -> None:
    app.callbacks(REPORT, RECORD)
    for x in ("1", "2"):
        app.run(f"x={x}", "hydra.run.dir=same")
    assert shown(app.directory / "same" / "report.html")["overrides"] == ["x=2"]


@pytest.mark.parametrize("subdir", ["null", "meta"])
def test_the_record_is_found_wherever_hydra_keeps_its_files(app: App, subdir: str) -> None:
    app.callbacks(REPORT, RECORD)
    done = app.run(f"hydra.output_subdir={subdir}")
    data = shown(app.one("outputs/*/*/report.html"))
    assert (data["status"], data["app"]) == ("completed", "app"), done.text


def test_nothing_of_the_page_is_loaded_before_the_end(app: App) -> None:
    app.callbacks(REPORT, RECORD)
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    told = (
        '    print("loaded", [name for name in sys.modules if name.startswith(("jinja2", "hydra_callbacks.report"))])\n'
    )
    app.write("app.py", text.replace("    return cfg.x", f"{told}    return cfg.x"))
    assert "loaded []" in app.run().out


@pytest.mark.parametrize(
    "setting",
    [
        {"file": "report.pdf"},
        {"file": ""},
        {"file": ".html"},
        *(
            {"file": name}
            for name in ("sub/x.html", "../x.html", "/x.html", "x.html/", "a\\x.html", "c:x.html", "a\0.html")
        ),
        {"metric": 3},
        {"direction": "up"},
        {"direction": "maximize"},
    ],
)
def test_wrong_settings_are_told(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(setting))):
        Report(**setting)
