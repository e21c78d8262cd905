from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from devices.contract.capability import Parameter, ParameterType, Risk
from gateway.errors import ConfigError, ToolError
from gateway.outcome import Outcome, Status
from gateway.policy.rules import Act
from gateway.tools.arguments import check
from gateway.tools.base import Context, Plan
from gateway.tools.python import PythonTool, load_entry_points, load_paths, tool

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


async def call(found: PythonTool[..., Any], **arguments: Any) -> Outcome:
    plan = found.plan(check(found.parameters, arguments))
    return plan if isinstance(plan, Outcome) else await plan.run(Context("c", lambda _: None))


@tool
def weather(
    city: Annotated[str, Field(description="Which city.")],
    days: Annotated[int, Field(ge=1, le=7)] = 1,
    unit: Literal["celsius", "fahrenheit"] = "celsius",
    note: str | None = None,
) -> dict[str, object]:
    """Tell the weather
    of a city.

    Not for the model.
    """
    return {"city": city, "days": days, "unit": unit, "note": note}


def test_the_signature_is_the_schema() -> None:
    assert weather.name == "weather"
    assert weather.description == "Tell the weather of a city."
    assert weather.parameters == (
        Parameter("city", ParameterType.STRING, "Which city."),
        Parameter("days", ParameterType.INTEGER, required=False, minimum=1, maximum=7),
        Parameter("unit", ParameterType.STRING, required=False, choices=("celsius", "fahrenheit")),
        Parameter("note", ParameterType.STRING, required=False),
    )


async def test_a_result_is_the_answer(home: Any) -> None:
    outcome = await call(weather, city="Berlin", days=2.0)
    assert outcome.status is Status.ANSWER
    assert outcome.data == {"city": "Berlin", "days": 2, "unit": "celsius", "note": None}


def test_a_tool_is_still_a_function() -> None:
    assert weather("Rome")["city"] == "Rome"


class Point(BaseModel):
    x: int


@pytest.mark.parametrize(
    ("value", "data", "message"),
    [
        ("It rains.", "It rains.", "It rains."),
        (42, 42, "The answer is 42."),
        ([1, 2], [1, 2], "This is the answer."),
        (Point(x=1), {"x": 1}, "This is the answer."),
        (None, None, "It ran and returned nothing."),
        ([float("nan")], [None], "This is the answer."),
    ],
)
async def test_any_plain_result_can_be_told(value: object, data: object, message: str) -> None:
    @tool
    async def give() -> object:
        return value

    outcome = await call(give)
    assert (outcome.status, outcome.data, outcome.message) == (Status.ANSWER, data, message)


async def test_an_outcome_is_kept() -> None:
    @tool
    def own() -> Outcome:
        return Outcome(Status.UNCONFIRMED, "Sent a letter.")

    assert (await call(own)).status is Status.UNCONFIRMED


async def test_an_error_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    @tool
    def broken() -> str:
        raise ValueError("password 1234")

    outcome = await call(broken)
    assert outcome.status is Status.ERROR
    assert "1234" not in outcome.text()
    assert "password 1234" in caplog.text


async def test_what_cannot_be_told_as_json_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    @tool
    def odd() -> object:
        return object()

    assert (await call(odd)).status is Status.ERROR
    assert "odd failed" in caplog.text


async def test_a_tool_error_is_spoken() -> None:
    @tool
    async def closed() -> str:
        raise ToolError("The shop is closed today.")

    outcome = await call(closed)
    assert (outcome.status, outcome.message) == (Status.FAILED, "The shop is closed today.")


async def test_a_slow_function_is_timed_out() -> None:
    @tool(timeout_s=5)
    async def slow() -> str:
        await asyncio.sleep(3600)
        return "late"

    before = asyncio.get_running_loop().time()
    outcome = await call(slow)
    assert (outcome.status, outcome.ok) == (Status.TIMED_OUT, None)
    assert asyncio.get_running_loop().time() - before == pytest.approx(5)


async def test_its_own_timeout_is_a_failure_not_ours(caplog: pytest.LogCaptureFixture) -> None:
    @tool
    def impatient() -> str:
        raise TimeoutError("the printer")

    assert (await call(impatient)).status is Status.ERROR
    assert "impatient failed" in caplog.text


async def test_a_plain_function_does_not_block_the_house() -> None:
    @tool
    def busy() -> str:
        time.sleep(0.02)
        return "done"

    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    assert (await call(busy)).ok
    ticking.cancel()
    assert ticks > 10


async def test_cancelling_the_call_cancels_the_function() -> None:
    seen: list[str] = []

    @tool
    async def waits() -> None:
        try:
            await asyncio.sleep(3)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.create_task(call(waits))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


def test_risk_and_name_can_be_chosen() -> None:
    @tool(name="open-gate", risk=Risk.GUARDED)
    def open_gate(number: int, code: int) -> None:
        """Open the gate."""

    plan = open_gate.plan({"number": 7, "code": 4711})
    assert isinstance(plan, Plan)
    assert (open_gate.name, plan.acts) == ("open-gate", (Act("open-gate", Risk.GUARDED),))
    # Without the code, which nobody shall hear.
    assert plan.summary == "do “open-gate” (number 7)"


def test_a_function_may_say_that_it_can_run_twice() -> None:
    @tool(idempotent=True)
    def look_up() -> None:
        """Look something up."""

    @tool
    def send() -> None:
        """Send something."""

    plans = look_up.plan({}), send.plan({})
    assert [isinstance(plan, Plan) and plan.idempotent for plan in plans] == [True, False]


def test_what_the_types_refuse_is_refused_before_it_runs() -> None:
    @tool
    def pay(iban: Annotated[str, Field(pattern="^[A-Z]{2}")]) -> None:
        """Pay."""

    outcome = pay.plan({"iban": "x"})
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.INVALID
    assert outcome.message.startswith("iban is wrong: ")


def _untyped(a) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    ...


def _many(*args: str) -> None: ...


def _nested(a: dict[str, str]) -> None: ...


def _opaque(a: asyncio.Lock) -> None: ...


def _numbers(a: Literal[1, 2]) -> None: ...


@pytest.mark.parametrize("function", [_untyped, _many, _nested, _opaque, _numbers])
def test_a_signature_that_no_model_can_call_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match="tool _"):
        tool(function)


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(TypeError, match="no tool name"):
        tool(name="öffne Tor")(_many)


MODULE = """
from gateway.tools.python import tool

@tool
def add(a: int, b: int) -> int:
    "Add."
    return a + b

def plain(word: str) -> str:
    "Echo."
    return word

def broken(x):
    "No types."
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed package with tools, one of them broken."""
    (tmp_path / "shop_tools.py").write_text(MODULE)
    info = tmp_path / "shop_tools-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-tools\nVersion: 1.0\n")
    lines = [
        "[gateway.tools]",
        "add = shop_tools:add",
        "bad = shop_tools:broken",
        "gone = nowhere:x",
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shop_tools", raising=False)
    return "shop_tools"


async def test_tools_are_loaded_by_path(package: str) -> None:
    add, plain = load_paths([f"{package}:add", f"{package}:plain"])
    assert (await call(add, a=1, b=2)).data == 3
    assert (await call(plain, word="hi")).data == "hi"


def test_tools_of_installed_packages_come_by_themselves(
    package: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert "add" in [t.name for t in load_entry_points()]
    assert "tool bad (shop_tools:broken) is left out" in caplog.text
    assert "tool gone (nowhere:x) is left out" in caplog.text


def test_paths_that_lead_nowhere_are_named() -> None:
    for path in ("nowhere", "no.such.module:x", "json:no_such_thing", "json:decoder"):
        with pytest.raises(ConfigError, match=r"tools\.python"):
            load_paths([path])
    with pytest.raises(ConfigError, match="set PYTHONPATH"):
        load_paths(["no_such_module:x"])
