"""The learning curve's picture: well-formed, readable without seeing it, and nothing runs in it."""

import asyncio
import xml.etree.ElementTree as ET
from base64 import b64encode
from hashlib import sha256

import pytest

from app.api.v1.curve_picture import NARROWEST, STYLE, draw_curve
from app.api.v1.feedback import PICTURE_HEADERS
from app.learning.actions import planned_command
from app.learning.curve import CurvePoint
from tests.fakes.past import Past

CHANGE = planned_command("kubectl rollout restart deployment/x -n shop")
LOOK = planned_command("kubectl get pods -n shop")
LOOK_AGAIN = planned_command("kubectl get events -n shop")
DESCRIBE = planned_command("kubectl describe deployment/x -n shop")
SVG = "{http://www.w3.org/2000/svg}"


def points(plans: int) -> list[CurvePoint]:
    past = Past()
    past.experiment(plans, guided=0.8, held_out=0.8, share=0.1)
    return asyncio.run(past.learning().report.learning_curve())


def places(picture: ET.Element, kind: str) -> list[tuple[float, float]]:
    """Where a line goes."""
    (line,) = [
        one
        for one in picture.iter()
        if kind in (one.get("class") or "").split() and one.get("points")
    ]
    numbers = [float(number) for number in (line.get("points") or "").replace(",", " ").split()]
    return [*zip(numbers[::2], numbers[1::2], strict=True)]


def test_the_picture_is_named_and_described_for_those_who_do_not_see_it():
    picture = ET.fromstring(draw_curve(points(30), 760))

    ids = (picture.get("aria-labelledby") or "").split()
    told = {one.get("id"): one.text or "" for one in picture.iter() if one.get("id")}
    assert picture.get("role") == "img"
    assert told[ids[0]] == "Learning curve"
    assert told[ids[1]].startswith("After 30 decided plans, over the last 20: ")
    assert " of the changing commands approved (95 %: " in told[ids[1]]


def test_nothing_runs_or_loads_in_it():
    text = draw_curve(points(30), 760)

    names = {one.tag.removeprefix(SVG) for one in ET.fromstring(text).iter()}
    assert names <= {"svg", "title", "desc", "style", "line", "text", "polygon", "polyline", "rect"}
    assert "href" not in text
    assert "url(" not in text
    assert " on" not in text.split("</desc>")[1].split(">", 1)[0]


def test_the_policy_allows_its_own_style_and_nothing_else():
    (style,) = ET.fromstring(draw_curve([], 760)).iter(f"{SVG}style")

    digest = b64encode(sha256((style.text or "").encode()).digest()).decode()
    policy = PICTURE_HEADERS["Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'"
    assert "prefers-color-scheme: dark" in STYLE


def test_the_curve_is_where_the_figures_are():
    found = points(30)
    picture = ET.fromstring(draw_curve(found, 760))

    line = places(picture, "all")
    band = places(picture, "band")
    assert len(line) == 30
    assert len(band) == 60
    heights = [(232 - y) / 220 for _, y in line]
    assert heights == pytest.approx([point.recent_approval_rate for point in found], abs=1e-3)
    assert [x for x, _ in line] == sorted(x for x, _ in line)
    recent = places(picture, "changes")
    assert all(
        low >= y >= high
        for (_, y), (_, high), (_, low) in zip(recent, band[:30], band[:29:-1], strict=True)
    )


def test_approved_reads_do_not_carry_the_main_line():
    picture = ET.fromstring(draw_curve(reads_and_refusals(40), 760))

    shares = {kind: (232 - places(picture, kind)[-1][1]) / 220 for kind in ("changes", "all")}
    assert shares["changes"] == pytest.approx(0.0, abs=1e-3)
    assert shares["all"] == pytest.approx(0.75, abs=1e-3)
    words = [one.text or "" for one in picture.iter() if one.text]
    assert any("over the last 20: 0 % of the changing commands approved" in text for text in words)


@pytest.mark.parametrize("width", [NARROWEST, 760])
def test_the_picture_says_over_which_window_it_is_drawn(width: int):
    picture = ET.fromstring(draw_curve(reads_and_refusals(40), width))

    words = [one.text or "" for one in picture.iter(f"{SVG}text")]
    assert any("the last 20" in text for text in words)
    assert "Changes approved (95 %)" in words


def reads_and_refusals(plans: int) -> list[CurvePoint]:
    """Of each plan three reads are approved and the change is not; at first it was."""
    past = Past()
    for number in range(plans):
        counts = (4, 0) if number < 10 else (3, 1)
        past.plan(f"plan-{number}", counts, commands=[LOOK, LOOK_AGAIN, DESCRIBE, CHANGE])
    return asyncio.run(past.learning().report.learning_curve())


def test_a_single_plan_can_be_seen():
    picture = ET.fromstring(draw_curve(points(1), 760))

    (left, high), (right, _), (_, low), _ = places(picture, "band")
    assert left < right
    assert high < low
    assert len(places(picture, "changes")) == 2


@pytest.mark.parametrize("plans", [0, 1, 2])
@pytest.mark.parametrize("width", [NARROWEST, 760, 1600])
def test_few_plans_and_any_width_stay_inside_the_picture(plans: int, width: int):
    picture = ET.fromstring(draw_curve(points(plans), width))

    assert picture.get("viewBox") == f"0 0 {width} {picture.get('height')}"
    found = [float(one.get(name) or 0) for one in picture.iter() for name in ("x", "x1", "x2")]
    assert max(found) <= width
    assert min(found) >= 0
    words = " ".join(one.text or "" for one in picture.iter(f"{SVG}text"))
    assert ("first decision" in words) is (plans == 0)
