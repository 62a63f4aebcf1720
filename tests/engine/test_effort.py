"""Work that computes: short at once, long in a thread, and each run one piece at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from flowdbg.engine.effort import Compute, Deadline, Effort, TakesLonger

HERE = threading.get_ident


def short(_deadline: Deadline) -> int:
    return HERE()


def long(deadline: Deadline) -> int:
    """Gives up on the event loop's thread, and is done in any other."""
    if HERE() == threading.main_thread().ident:
        raise TakesLonger
    return HERE()


async def test_short_work_is_done_at_once_and_long_work_in_a_thread() -> None:
    compute = Effort().of_a_run()
    assert await compute(short, 1) == HERE()
    assert await compute(long, 1) != HERE()


async def test_a_run_that_takes_long_does_not_try_at_once_again() -> None:
    effort = Effort()
    compute, other = effort.of_a_run(), effort.of_a_run()
    await compute(long, 1)
    assert await compute(short, 1) != HERE()
    assert await other(short, 1) == HERE()


async def test_work_that_never_ends_is_given_up() -> None:
    def endless(deadline: Deadline) -> None:
        while True:
            deadline.check()

    with pytest.raises(TakesLonger):
        await Effort().of_a_run()(endless, 0.05)


async def test_a_run_with_much_long_work_lets_the_work_of_others_in_between() -> None:
    effort = Effort()
    done: list[str] = []

    async def work(name: str, compute: Compute) -> None:
        await compute(long, 1)
        done.append(name)

    run, other = effort.of_a_run(), effort.of_a_run()
    many = [asyncio.create_task(work("many", run)) for _ in range(50)]
    await asyncio.sleep(0)
    await work("one", other)
    await asyncio.gather(*many)
    assert done.index("one") <= 2
