"""What the plan promised against what the server tells while a step runs.

A server that tells no plan makes none stale by itself, so whatever it lets slip is held against
what it said before: the version, the plan's hash, the number of steps, the ids that began.
"""

from __future__ import annotations

import dataclasses

from flowdbg.core.events import RunStarted
from flowdbg.core.plan import Plan, Step


def grown(plan: Plan, index: int, step_id: str, name: str) -> Plan:
    """A plan put together from events grows by a step that nobody announced."""
    if plan.told or index != len(plan.steps):
        return plan
    return dataclasses.replace(plan, steps=(*plan.steps, Step(step_id, name or step_id)))


def moved(plan: Plan, event: RunStarted) -> str:
    """What the server tells that is not what the plan promised; empty when all is as promised."""
    other_hash = plan.hash and event.plan_hash and plan.hash != event.plan_hash
    other_version = None not in (plan.version, event.version) and plan.version != event.version
    if other_hash or other_version:
        return f"the server runs {_version(event.version)}, not {_version(plan.version)}"
    if None not in (plan.length, event.step_count) and event.step_count != plan.length:
        return f"the flow has {event.step_count} steps, not {plan.length}"
    return ""


def told_more(plan: Plan, event: RunStarted) -> Plan:
    """A plan that nobody gave, with what the start of a run tells about it."""
    return dataclasses.replace(
        plan,
        count=plan.count if plan.count is not None else event.step_count,
        version=plan.version if plan.version is not None else event.version,
        hash=plan.hash or event.plan_hash,
    )


def _version(version: int | None) -> str:
    return "another version" if version is None else f"version {version}"
