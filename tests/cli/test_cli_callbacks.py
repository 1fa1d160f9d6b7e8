"""`hydra-callbacks callbacks`, on the real package and on a small one whose output is known to the letter."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import click
import pytest
import yaml

import hydra_callbacks
from hydra_callbacks.callbacks import ROOMS
from hydra_callbacks.cli import callbacks, catalogue

GROUP = Path(hydra_callbacks.__file__).parent / "conf" / "hydra" / "callbacks"
FILES = sorted(file.stem for file in GROUP.glob("*.yaml"))

ROOM = '''
"""Is it tea time?"""

class TeaTime:
    """Ring a bell.

    It rings once for each cup,
    and never twice.

    Args:
        cups: How many there are;
            0 is none.
        greeting (str): What is said.

    Raises:
        ValueError: There is no bell.
    """
'''


@pytest.fixture
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one callback and two presets, in place of the real one."""
    group = tmp_path / "conf" / "hydra" / "callbacks"
    group.mkdir(parents=True)
    (tmp_path / "callbacks").mkdir()
    (tmp_path / "callbacks" / "tea_time.py").write_text(ROOM, encoding="utf-8")
    (group / "tea_time.yaml").write_text(
        "# @package hydra.callbacks\n"
        "tea_time:\n"
        "  _target_: kitchen.TeaTime\n"
        "  cups: 2 # pieces\n"
        "  greeting: ''\n"
        "  secret: ???\n",
        encoding="utf-8",
    )
    (group / "afternoon.yaml").write_text(
        "# @package hydra.callbacks\n# All of an afternoon.\n# More of it.\n"
        "defaults:\n  - tea_time\n  - /hydra/callbacks: [cake]\n  - _self_\n\n"
        "scone:\n  _target_: kitchen.Scone\ntea_time:\n  cups: 3\n",
        encoding="utf-8",
    )
    (group / "nothing.yaml").write_text("", encoding="utf-8")
    read = catalogue.read
    monkeypatch.setattr(catalogue, "read", lambda: read(tmp_path))
    return tmp_path


def output(name: str | None = None, form: callbacks.Form = "table", width: int = 80) -> str:
    out = io.StringIO()
    callbacks.run(name, form, out, width=width)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def test_the_table_fits_80_columns(kitchen: Path) -> None:
    assert output() == (
        "\n"
        "  Callback   What it does   Settings\n"
        " ─────────────────────────────────────────────────────────\n"
        "  tea_time   Ring a bell.   cups=2 greeting='' secret=???\n"
        "\n"
        "\n"
        "  Preset      Switches on\n"
        " ───────────────────────────────────\n"
        "  afternoon   tea_time, cake, scone\n"
        "  nothing\n"
        "\n"
        "hydra-callbacks callbacks NAME tells all about one of them."
    )


def test_one_callback_in_full(kitchen: Path) -> None:
    assert output("tea_time", width=60) == (
        "tea_time (kitchen.TeaTime)\n"
        "Is it tea time?\n"
        "\n"
        "Ring a bell.\n"
        "\n"
        "It rings once for each cup, and never twice.\n"
        "\n"
        "Settings\n"
        "  cups      2    How many there are; 0 is none.\n"
        "  greeting  ''   What is said.\n"
        "  secret    ???\n"
        "\n"
        "Switch it on by its config group\n"
        "  python your_app.py hydra/callbacks=tea_time\n"
        "  python your_app.py hydra/callbacks=tea_time hydra.callbacks.tea_time.cups=2\n"
        "\n"
        "  defaults:\n"
        "    - override hydra/callbacks: tea_time\n"
        "\n"
        "Switch it on in a configuration, with what should differ from the defaults\n"
        "  hydra:\n"
        "    callbacks:\n"
        "      tea_time:\n"
        "        _target_: kitchen.TeaTime\n"
        "        cups: 2\n"
        "        greeting: ''\n"
        "        secret: ???"
    )


def test_a_preset_says_what_it_switches_on(kitchen: Path) -> None:
    assert output("afternoon") == (
        "afternoon (a preset)\n"
        "\n"
        "All of an afternoon.\n"
        "\n"
        "Switches on\n"
        "  tea_time  cups=3\n"
        "  cake\n"
        "  scone\n"
        "\n"
        "Switch it on by its config group\n"
        "  python your_app.py hydra/callbacks=afternoon\n"
        "\n"
        "  defaults:\n"
        "    - override hydra/callbacks: afternoon"
    )


def test_the_csv_form(kitchen: Path) -> None:
    assert output(form="csv") == (
        "name,kind,help,settings,callbacks\n"
        'tea_time,callback,Ring a bell.,"{""cups"": 2, ""greeting"": """", ""secret"": ""???""}",\n'
        'afternoon,preset,All of an afternoon.,"{""tea_time"": {""cups"": 3}}",tea_time cake scone\n'
        "nothing,preset,,{},"
    )
    assert output("TeaTime", form="csv") == (
        "setting,default,help\ncups,2,How many there are; 0 is none.\ngreeting,'',What is said.\nsecret,???,"
    )
    assert output("afternoon", form="csv") == "callback,settings\ntea_time,cups=3\ncake,\nscone,"


def test_the_json_form(kitchen: Path) -> None:
    tea_time = {
        "kind": "callback",
        "name": "tea_time",
        "target": "kitchen.TeaTime",
        "question": "Is it tea time?",
        "help": "Ring a bell.",
        "description": "It rings once for each cup, and never twice.",
        "settings": [
            {"name": "cups", "default": 2, "help": "How many there are; 0 is none."},
            {"name": "greeting", "default": "", "help": "What is said."},
            {"name": "secret", "default": "???", "help": ""},
        ],
    }
    afternoon = {
        "kind": "preset",
        "name": "afternoon",
        "help": "All of an afternoon.",
        "callbacks": ["tea_time", "cake", "scone"],
        "settings": {"tea_time": {"cups": 3}},
    }
    nothing = {"kind": "preset", "name": "nothing", "help": "", "callbacks": [], "settings": {}}
    assert json.loads(output(form="json")) == [tea_time, afternoon, nothing]
    assert json.loads(output("tea_time", form="json")) == tea_time
    assert json.loads(output("afternoon", form="json")) == afternoon


@pytest.mark.parametrize("name", ["git_inf", "gitinfo", "GitInfos", "GIT_INFO"])
def test_an_unknown_name_is_answered_with_the_nearest(name: str) -> None:
    with pytest.raises(click.UsageError, match=rf"no callback or preset is called '{name}'; nearest: git_info"):
        output(name)


def test_a_name_near_to_none_is_answered_with_all() -> None:
    with pytest.raises(click.UsageError, match=r"there are: .*git_info.*default"):
        output("§")


@pytest.mark.parametrize("width", [80, 160])
def test_every_file_of_the_group_is_listed_and_none_of_its_words_is_cut(width: int) -> None:
    lines = output(width=width).splitlines()
    assert max(map(len, lines)) <= width
    words = {word for line in lines for word in line.replace(",", " ").split()}
    assert {"clean=false", "run_base_dir=outputs", *FILES} <= words


def test_every_callback_is_listed_with_its_settings_and_an_explanation_of_each() -> None:
    found = {entry["name"]: entry for entry in json.loads(output(form="json"))}
    assert sorted(found) == FILES
    for name, entry in found.items():
        if entry["kind"] == "preset":
            assert set(entry["callbacks"]) <= set(ROOMS.values()), name
            continue
        (config,) = yaml.safe_load((GROUP / f"{name}.yaml").read_text(encoding="utf-8")).values()
        stated = {setting["name"]: setting["default"] for setting in entry["settings"]}
        assert {"_target_": entry["target"], **stated} == config
        assert entry["help"], name
        assert "?" in entry["question"], name
        assert all(setting["help"] for setting in entry["settings"]), name


def test_a_class_name_will_do() -> None:
    assert output("GitInfo") == output("git_info")
    assert "Refuse to start" in output("GitInfo")


def test_the_csv_of_the_real_package_is_whole() -> None:
    rows = list(csv.DictReader(io.StringIO(output(form="csv"))))
    settings = {row["name"]: json.loads(row["settings"] or "{}") for row in rows}
    assert settings["git_info"]["clean"] is False
    assert {row["kind"] for row in rows} == {"callback", "preset"}
