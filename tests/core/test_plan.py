"""How two plans differ, step by step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.plan import Change, Plan, Step, compare_plans


def plan(text: str, **prompts: str) -> Plan:
    steps = (Step(name, name, "llm", {"prompt": prompts.get(name, name)}) for name in text.split())
    return Plan(tuple(steps), told=True)


def fates(old: Plan, new: Plan) -> dict[str, str]:
    return {change.id: change.change.value for change in compare_plans(old, new)}


def test_nothing_changed() -> None:
    assert fates(plan("a b"), plan("a b")) == {"a": "same", "b": "same"}


def test_a_rename_is_one_gone_and_one_new() -> None:
    assert fates(plan("a b c"), plan("a x c")) == {
        "a": "same",
        "x": "new",
        "c": "same",
        "b": "gone",
    }


def test_an_insert_moves_nobody() -> None:
    assert fates(plan("a b"), plan("a x b")) == {"a": "same", "x": "new", "b": "same"}


def test_a_reorder_moves_as_few_as_possible() -> None:
    assert fates(plan("a b c"), plan("c a b")) == {"c": "moved", "a": "same", "b": "same"}


def test_a_prompt_only_change_is_seen() -> None:
    assert fates(plan("a b"), plan("a b", b="other")) == {"a": "same", "b": "changed"}


def test_without_configurations_the_same_id_is_the_same_step() -> None:
    old = Plan((Step("a", "A", "llm", {"prompt": "p"}),))
    assert fates(old, Plan((Step("a", "A"),))) == {"a": "same"}


_orders = st.lists(st.sampled_from("abcdefg"), unique=True)


@given(_orders, _orders)
def test_every_step_has_one_fate_and_the_steady_ones_keep_their_order(
    before: list[str], after: list[str]
) -> None:
    old, new = plan(" ".join(before)), plan(" ".join(after))
    changes = compare_plans(old, new)
    assert sorted(change.id for change in changes) == sorted({*before, *after})
    assert [change.id for change in changes if change.new] == after
    steady = [change.old_index for change in changes if change.change is Change.SAME]
    assert steady == sorted(index for index in steady if index is not None)


def test_a_plan_survives_json() -> None:
    nested = Plan((Step("a", "A", "loop", {}, "read", (Step("b", "B"),)),), 3, "h", {"x": 1}, True)
    assert Plan.from_json(nested.to_json()) == nested
    found = nested.find("b")
    assert found is not None
    assert found.name == "B"
    assert nested.index_of("b") is None


def test_of_a_plan_that_nobody_told_no_step_is_said_to_be_gone() -> None:
    old = Plan((Step("a", "A"), Step("b", "B")), 1, "h", told=True)
    assert [change.change for change in compare_plans(old, Plan(version=2))] == [Change.UNTOLD] * 2
    empty = Plan((), 2, "h2", told=True)
    assert [change.change for change in compare_plans(old, empty)] == [Change.GONE] * 2
