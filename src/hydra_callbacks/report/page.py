"""How does a report's data become one HTML file that needs nothing else?"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any

import jinja2
import msgspec
from markupsafe import Markup

from hydra_callbacks.report.hidden import HIDDEN, as_escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_ROWS = 200
"""How many rows of a table a reader without JavaScript sees."""
_MOST_TRACEBACKS = 5
"""How many such a reader sees; the script knows all."""
_ENDS_SCRIPT = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def render(data: Mapping[str, Any]) -> str:
    """Return the page that shows this data: HTML that fetches nothing, and runs no script but its own.

    Args:
        data: What `web/src/types.d.ts` describes. All its texts are untrusted.
    """
    columns = [data["values"][column["name"]] for column in data.get("columns", ())]
    if data["kind"] == "register":
        columns = [values[::-1] for values in columns]  # the latest are what one looks for
    style, script = _part("report.css"), _part("report.js")
    return _template().render(
        data={**data, "errors": _few_tracebacks(data.get("errors", ()))},
        rows=list(islice(zip(*columns, strict=True), MOST_ROWS)),
        n_more=max(len(columns[0]) - MOST_ROWS, 0) if columns else 0,
        most_rows=MOST_ROWS,
        style=Markup(style),  # noqa: S704  (from this package)
        script=Markup(script),  # noqa: S704  (as above)
        style_hash=_hash(style),
        script_hash=_hash(script),
        json=embedded(data),
    )


def _few_tracebacks(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return failures of which the first have their traceback."""
    return [*errors[:_MOST_TRACEBACKS], *({**each, "traceback": None} for each in errors[_MOST_TRACEBACKS:])]


def embedded(data: Mapping[str, Any]) -> Markup:
    """Return the data as JSON in which no sign can end the script element that holds it."""
    try:
        text = msgspec.json.encode(data).decode()
    except UnicodeEncodeError:  # half of a character, as in a file name that is no UTF-8
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(_ENDS_SCRIPT.sub(as_escape, text))  # noqa: S704  (without a sign that HTML knows)


def shown(value: object) -> str:
    """Return a value as text; signs that hide or reorder their neighbours stand there by their number."""
    if value is None:
        return ""
    return HIDDEN.sub(as_escape, f"{value:.5g}" if isinstance(value, float) else str(value))


def _moment(time: str) -> str:
    return f"{time[:16].replace('T', ' ')} UTC" if time else ""


def _seconds(duration: float) -> str:
    return f"{duration:,.1f} s" if duration else ""


@functools.cache
def _part(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")


@functools.cache
def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.ChainableUndefined)
    environment.filters.update(shown=shown, moment=_moment, seconds=_seconds)
    return environment.from_string(_part("report.html.j2"))
