"""Has a run that was reproduced come to the same: by the same configuration, to the same result or error?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs import record
from hydra_callbacks.runs.filters import comparable
from hydra_callbacks.runs.find import run_in
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.texts import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_callbacks.cli.reproduction import Reproduction

_SHOWN_TO_TASKS = {"git.sha", "git.is_dirty"}  # by GitInfo
_NOT_THERE = "(not there)"


def results(plan: Reproduction) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """Return what each job found out, then and now; and how it ended, where it did not complete."""
    pairs = {}
    for number, (before, after) in _records(plan).items():
        then, now = _told(before), {"status": "(not started)"} if after is None else _told(after)
        if then["status"] == now["status"] == "completed":
            del then["status"], now["status"]
        pairs[number] = (then, now)
    return pairs


def failed_alike(plan: Reproduction) -> bool:
    """Tell whether each job ended as it did then, with the same error where there was one."""
    return all(
        after is not None and _end(plan, before) == _end(plan, after) for before, after in _records(plan).values()
    )


def differences(plan: Reproduction) -> list[str]:
    """Return in what the configuration of a reproduced run differs from the recorded one, in words.

    What was given anew is none, nor a path that leads to the same file in the rebuilt tree.
    """
    told = []
    for number, (then, now) in _records(plan).items():
        before, after = (flatten(record.section(each or {}, "config")) for each in (then, now))
        head = f"job {number}: " if plan.is_sweep else ""
        for key in dict.fromkeys([*before, *after]) if before and now else ():
            one, other = before.get(key, _NOT_THERE), after.get(key, _NOT_THERE)
            is_told = key not in _SHOWN_TO_TASKS and not _is_given(key, plan)
            if is_told and not _are_same(plan, (one, then), (other, now or {})):
                told.append(f"{head}{key}: {_said(one)} then, {_said(other)} now")
    return told


def _records(plan: Reproduction) -> dict[int, tuple[dict[str, Any], dict[str, Any] | None]]:
    """Return the record of each job, then and now; None where it was not started."""
    if plan.is_sweep:
        jobs = read_sweep(plan.output).jobs if plan.output.is_dir() else []
        found = {job.num: run_in(job.directory(plan.output)) for job in jobs}
    else:
        found = {0: run_in(plan.output)}
    now = {number: run.record for number, run in found.items() if run}
    return {number: (run.record, now.get(number)) for number, run in plan.origins.items()}


def _told(data: dict[str, Any]) -> dict[str, Any]:
    result, error = data.get("result"), data.get("error")
    told = {"status": record.status(data), **(flatten(result) if isinstance(result, dict) else {})}
    return {**told, **({"error": f"{error.get('type')}: {error.get('message')}"} if isinstance(error, dict) else {})}


def _end(plan: Reproduction, data: dict[str, Any]) -> tuple[Any, ...]:
    error = record.section(data, "error")
    return record.status(data), error.get("type"), _without_places(plan, str(error.get("message")), data)


def _is_given(key: str, plan: Reproduction) -> bool:
    given = (word.partition("=")[0].lstrip("+~").partition("@")[0].replace("/", ".") for word in plan.given)
    return any(key == each or key.startswith(f"{each}.") for each in given)


def _are_same(plan: Reproduction, one: tuple[Any, Mapping[str, Any]], other: tuple[Any, Mapping[str, Any]]) -> bool:
    """Tell whether two values are the same, each with the record that it is from."""
    then, now = comparable(one[0]), comparable(other[0])
    if then == now:
        return True
    if not isinstance(then, str) or not isinstance(now, str):
        return then != then and now != now  # noqa: PLR0124  (both are no number)
    return plan.moved.word(then) == now or _without_places(plan, then, one[1]) == _without_places(plan, now, other[1])


def _without_places(plan: Reproduction, text: str, data: Mapping[str, Any]) -> str:
    """Return a text without what differs between a run and the one that reproduces it: where they write and lie."""
    made = (data.get("output_dir"), data.get("sweep_dir"))
    for place, sign in (*((each, "<output>") for each in made), (plan.tree, "<tree>"), (plan.code.root, "<tree>")):
        text = text.replace(str(place), sign) if place else text
    return text


def _said(value: Any) -> str:
    return "null" if value is None else shown(value) or "''"
