"""The queue: each key once, one pass a key at a time, delays, order; on a clock that the test moves."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from modelyard.handlers.queue import Closed, Queue, Schedule


@pytest.fixture
def schedule() -> Schedule[str]:
    return Schedule()


def drained(schedule: Schedule[str], now: float) -> list[str]:
    keys = []
    while (key := schedule.take(now)) is not None:
        keys.append(key)
        schedule.done(key)
    return keys


def test_keys_come_out_in_the_order_in_which_they_were_woken(schedule: Schedule[str]) -> None:
    for key in ("c", "a", "b"):
        schedule.wake(key, 0)

    assert drained(schedule, 0) == ["c", "a", "b"]


def test_a_key_that_is_woken_often_is_passed_over_once(schedule: Schedule[str]) -> None:
    for key in ("a", "b", "a", "a"):
        schedule.wake(key, 0)

    assert drained(schedule, 0) == ["a", "b"]


def test_a_key_never_runs_twice_at_once_and_runs_once_more_if_it_was_woken_meanwhile(
    schedule: Schedule[str],
) -> None:
    schedule.wake("a", 0)
    assert schedule.take(0) == "a"
    for _ in range(3):
        schedule.wake("a", 1)
    assert schedule.take(1) is None

    schedule.done("a")

    assert drained(schedule, 2) == ["a"]


def test_a_busy_key_does_not_starve_others(schedule: Schedule[str]) -> None:
    schedule.wake("busy", 0)
    schedule.wake("other", 0)
    assert schedule.take(0) == "busy"
    schedule.wake("busy", 0)
    schedule.done("busy")

    assert drained(schedule, 0) == ["other", "busy"]


def test_a_delayed_key_is_due_at_its_time_and_not_before(schedule: Schedule[str]) -> None:
    schedule.wake_at("a", 10)

    assert schedule.next_due() == 10
    assert schedule.take(9.9) is None
    assert schedule.take(10) == "a"
    assert schedule.next_due() is None


@pytest.mark.parametrize("delays", [(10, 5), (5, 10)])
def test_of_several_delays_the_earliest_stands_alone(
    schedule: Schedule[str], delays: tuple[int, int]
) -> None:
    for delay in delays:
        schedule.wake_at("a", delay)

    assert schedule.next_due() == 5
    assert drained(schedule, 5) == ["a"]
    assert drained(schedule, 10) == []


def test_a_wake_takes_the_place_of_a_delay(schedule: Schedule[str]) -> None:
    """The pass decides anew when to look again."""
    schedule.wake_at("a", 10)
    schedule.wake("a", 1)

    assert drained(schedule, 1) == ["a"]
    assert drained(schedule, 10) == []


def test_delays_that_stand_no_more_are_not_kept(schedule: Schedule[str]) -> None:
    """Each pass sets one for half an hour later, and most are overtaken by news."""
    for turn in range(2_000):
        for key in ("a", "b"):
            schedule.wake(key, now=turn)
            assert schedule.take(now=turn) == key
            schedule.done(key)
            schedule.wake_at(key, due=turn + 1800.0)
    assert len(schedule._heap) < 100
    assert schedule.next_due() == 1999 + 1800.0
    assert [schedule.take(now=5_000.0) for _ in range(3)] == ["a", "b", None]


def test_what_is_new_is_not_behind_all_that_fell_due(schedule: Schedule[str]) -> None:
    """A thousand that wait for the same length of time fall due at once."""
    for number in range(1_000):
        schedule.wake_at(f"old-{number}", due=10.0)
    assert schedule.take(now=11.0) == "old-0"
    schedule.wake("new", now=11.0)

    assert {schedule.take(now=11.0) for _ in range(3)} == {"new", "old-1", "old-2"}
    assert len(drained(schedule, 11.0)) == 997


def test_those_that_fell_due_are_not_behind_all_that_is_new(schedule: Schedule[str]) -> None:
    schedule.wake_at("old", due=10.0)
    for number in range(10):
        schedule.wake(f"new-{number}", now=11.0)
    taken = []
    for number in range(10, 30):
        taken.append(schedule.take(now=11.0))
        schedule.wake(f"new-{number}", now=11.0)

    assert "old" in taken


def test_a_delay_for_a_key_that_is_ready_changes_nothing(schedule: Schedule[str]) -> None:
    schedule.wake("a", 0)
    schedule.wake_at("a", 10)

    assert drained(schedule, 0) == ["a"]
    assert schedule.next_due() is None


def test_a_key_that_falls_due_while_it_runs_runs_again(schedule: Schedule[str]) -> None:
    schedule.wake("a", 0)
    assert schedule.take(0) == "a"
    schedule.wake_at("a", 5)

    assert schedule.take(6) is None
    schedule.done("a")
    assert schedule.take(6) == "a"


def test_the_head_of_the_queue_tells_how_long_it_waits(schedule: Schedule[str]) -> None:
    assert schedule.oldest() is None
    schedule.wake("a", 3)
    schedule.wake("b", 5)
    schedule.wake("a", 7)
    assert schedule.oldest() == 3
    schedule.take(8)

    assert schedule.oldest() == 5
    assert (schedule.depth, schedule.running) == (1, 1)


@pytest.mark.parametrize("seed", range(20))
def test_no_wake_is_ever_lost_and_no_key_runs_twice(seed: int) -> None:
    """Random wakes, delays, starts and ends: after each wake there is a start that is later than it."""
    dice, schedule = random.Random(seed), Schedule[str]()
    asked: dict[str, float] = {}
    running: set[str] = set()
    for now in range(2000):
        key = dice.choice("abcdef")
        match dice.randrange(4):
            case 0:
                schedule.wake(key, now)
                asked[key] = now
            case 1:
                due = now + dice.randrange(20)
                schedule.wake_at(key, due)
            case 2 if (taken := schedule.take(now)) is not None:
                assert taken not in running
                running.add(taken)
                asked.pop(taken, None)
            case 3 if running:
                ended = dice.choice(sorted(running))
                running.discard(ended)
                schedule.done(ended)
    for key in running:
        schedule.done(key)

    assert set(drained(schedule, 10_000)) >= asked.keys()
    assert schedule.next_due() is None


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_worker_waits_until_something_is_woken() -> None:
    queue: Queue[str] = Queue(Clock())
    worker = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    assert not worker.done()

    queue.wake("a")

    assert await asyncio.wait_for(worker, 1) == "a"


async def test_a_worker_waits_for_a_delayed_key_and_an_earlier_one_comes_first() -> None:
    loop = asyncio.get_running_loop()
    queue: Queue[str] = Queue(loop.time)
    started = loop.time()
    queue.wake_after("late", 0.1)
    worker = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.wake_after("early", 0.02)

    assert await worker == "early"
    assert await queue.take() == "late"
    assert loop.time() - started >= 0.1


async def test_the_age_of_the_head_is_in_seconds() -> None:
    clock = Clock()
    queue: Queue[str] = Queue(clock)
    assert queue.head_age == 0
    queue.wake("a")
    clock.now = 7

    assert queue.head_age == 7
    assert (queue.depth, queue.running) == (1, 0)


async def test_a_long_queue_that_moves_does_not_stand_still() -> None:
    """However old its head is: only that nothing begins or ends is a fault."""
    clock = Clock()
    queue: Queue[str] = Queue(clock)
    clock.now = 1000
    assert queue.standstill == 0
    for key in ("a", "b", "c"):
        queue.wake(key)
    assert queue.standstill == 0
    clock.now = 1200
    assert await queue.take() == "a"
    clock.now = 1299
    assert (queue.standstill, queue.head_age) == (99, 299)
    queue.done("a")
    assert queue.standstill == 0
    clock.now = 1600
    assert queue.standstill == 301


def counted_looks(queue: Queue[str]) -> Counter[str | None]:
    """What looks at the queue have found and will find from now on."""
    found: Counter[str | None] = Counter()
    take = queue._schedule.take

    def counted(now: float) -> str | None:
        key = take(now)
        found[key] += 1
        return key

    queue._schedule.take = counted  # type: ignore[method-assign]
    return found


async def test_what_fell_due_counts_as_waiting_before_a_worker_looks() -> None:
    clock = Clock()
    queue: Queue[int] = Queue(clock)
    for key in range(3):
        queue.wake_after(key, 10.0)
    assert (queue.depth, queue.head_age, queue.standstill) == (0, 0.0, 0.0)
    clock.now += 15.0
    assert (queue.depth, queue.head_age, queue.standstill) == (3, 5.0, 5.0)
    assert await queue.take() == 0
    clock.now += 4.0
    assert (queue.depth, queue.head_age, queue.standstill) == (2, 9.0, 4.0)


async def test_one_key_calls_one_worker() -> None:
    queue: Queue[str] = Queue(Clock())
    looks = counted_looks(queue)
    workers = [asyncio.create_task(queue.take()) for _ in range(16)]
    await asyncio.sleep(0)
    assert looks.total() == 16

    queue.wake("a")
    done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)

    assert [worker.result() for worker in done] == ["a"]
    for _ in range(5):
        await asyncio.sleep(0)
    assert looks.total() <= 18
    queue.close()
    await asyncio.gather(*workers, return_exceptions=True)


async def test_a_key_that_falls_due_calls_one_worker() -> None:
    loop = asyncio.get_running_loop()
    queue: Queue[str] = Queue(loop.time)
    looks = counted_looks(queue)
    workers = [asyncio.create_task(queue.take()) for _ in range(16)]
    await asyncio.sleep(0)

    queue.wake_after("late", 10)
    queue.wake_after("a", 0.01)
    done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED, timeout=5)

    assert [worker.result() for worker in done] == ["a"]
    for _ in range(5):
        await asyncio.sleep(0)
    assert looks.total() <= 19
    queue.close()
    await asyncio.gather(*workers, return_exceptions=True)


async def test_an_alarm_without_a_worker_is_not_missed() -> None:
    loop = asyncio.get_running_loop()
    queue: Queue[str] = Queue(loop.time)
    waits = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.wake_after("late", 0.02)
    queue.wake("now")
    assert await waits == "now"
    await asyncio.sleep(0.05)

    assert await asyncio.wait_for(queue.take(), 1) == "late"


async def test_keys_that_are_woken_at_once_call_as_many_workers() -> None:
    queue: Queue[str] = Queue(Clock())
    workers = [asyncio.create_task(queue.take()) for _ in range(4)]
    await asyncio.sleep(0)

    for key in ("a", "b", "c", "d"):
        queue.wake(key)

    assert set(await asyncio.wait_for(asyncio.gather(*workers), 1)) == {"a", "b", "c", "d"}


async def test_between_two_keys_others_have_their_turn() -> None:
    """However many workers there are, and though their passes wait for nothing."""
    queue: Queue[int] = Queue(Clock())
    turns, taken_in = 0, list[int]()

    async def work() -> None:
        while True:
            key = await queue.take()
            taken_in.append(turns)
            queue.done(key)

    workers = [asyncio.create_task(work()) for _ in range(4)]
    for key in range(100):
        queue.wake(key)
    while len(taken_in) < 100:
        await asyncio.sleep(0)
        turns += 1
    queue.close()
    await asyncio.gather(*workers, return_exceptions=True)

    assert len(set(taken_in)) == 100


async def test_a_call_to_a_worker_that_is_cancelled_goes_to_another() -> None:
    queue: Queue[str] = Queue(Clock())
    workers = [asyncio.create_task(queue.take()) for _ in range(2)]
    await asyncio.sleep(0)

    queue.wake("a")
    workers[0].cancel()

    assert await asyncio.wait_for(workers[1], 1) == "a"
    assert workers[0].cancelled()


@pytest.mark.parametrize("seed", range(5))
async def test_workers_pass_over_all_that_is_woken_whenever_it_is(seed: int) -> None:
    """Wakes, delays and ends at random times, on the real clock."""
    dice, loop = random.Random(seed), asyncio.get_running_loop()
    queue: Queue[int] = Queue(loop.time, lambda key: key // 10 if key >= 10 else None)
    passed: set[int] = set()
    all_passed = asyncio.Event()

    async def work() -> None:
        while True:
            key = await queue.take()
            passed.add(key)
            if len(passed) == 100:
                all_passed.set()
            await asyncio.sleep(dice.random() / 1000)
            queue.done(key)

    workers = [asyncio.create_task(work()) for _ in range(4)]
    keys = list(range(100))
    dice.shuffle(keys)
    for key in keys:
        if dice.random() < 0.5:
            queue.wake(key)
        else:
            queue.wake_after(key, dice.random() / 100)
        await asyncio.sleep(dice.random() / 2000)
    await asyncio.wait_for(all_passed.wait(), 5)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def test_a_closed_queue_sends_waiting_workers_home() -> None:
    queue: Queue[str] = Queue(Clock())
    workers = [asyncio.create_task(queue.take()) for _ in range(3)]
    await asyncio.sleep(0)

    queue.close()

    ended = await asyncio.gather(*workers, return_exceptions=True)
    assert [type(end) for end in ended] == [Closed] * 3
    queue.wake("a")
    with pytest.raises(Closed):
        await queue.take()


@pytest.fixture
def led() -> Schedule[str]:
    """`a1` and `a2` are led by `a`."""
    return Schedule(lambda key: key[0] if len(key) == 2 else None)


def test_a_leader_that_is_ready_goes_first(led: Schedule[str]) -> None:
    for key in ("a1", "b", "a"):
        led.wake(key, 0)

    assert drained(led, 0) == ["b", "a", "a1"]


def test_after_a_leader_those_that_it_leads_have_their_turn(led: Schedule[str]) -> None:
    """In the order in which they were woken, and before others that were woken earlier."""
    for key in ("a", "b", "c", "a1", "b1", "a2"):
        led.wake(key, 0)

    assert drained(led, 0) == ["a", "a1", "a2", "b", "b1", "c"]


def test_a_leader_that_is_woken_again_gives_its_followers_their_turn_and_then_all_others(
    led: Schedule[str],
) -> None:
    for key in ("a", "b", "a1"):
        led.wake(key, 0)
    assert led.take(0) == "a"
    led.wake("a", 0)
    led.done("a")

    assert drained(led, 0) == ["a1", "b", "a"]


def test_followers_are_not_kept_in_mind_beyond_their_turn(led: Schedule[str]) -> None:
    for turn in range(3):
        for key in ("a1", "a2"):
            led.wake(key, turn)
        assert drained(led, turn) == ["a1", "a2"]

    led.wake("a", 3)
    assert drained(led, 3) == ["a"]


def test_neither_begins_while_the_other_runs(led: Schedule[str]) -> None:
    led.wake("a", 0)
    assert led.take(0) == "a"
    led.wake("a1", 0)
    assert led.take(0) is None
    led.done("a")
    assert led.take(0) == "a1"
    led.wake("a", 0)
    assert led.take(0) is None
    led.done("a1")
    assert led.take(0) == "a"


def test_what_a_follower_writes_wakes_its_leader_once(led: Schedule[str]) -> None:
    led.wake("a1", 0)
    assert led.take(0) == "a1"
    for _ in range(5):
        led.wake("a", 0)
        assert led.take(0) is None
    led.done("a1")

    assert drained(led, 0) == ["a"]


def test_who_has_waited_once_waits_no_more(led: Schedule[str]) -> None:
    """However often the leader is woken."""
    led.wake("a", 0)
    assert led.take(0) == "a"
    led.wake("a1", 0)
    assert led.take(0) is None
    led.wake("a", 0)
    led.done("a")

    assert led.take(0) == "a1"
    assert led.take(0) is None
    led.done("a1")
    assert drained(led, 0) == ["a"]


@pytest.mark.parametrize("looked_at", [False, True])
def test_who_comes_while_its_leader_runs_waits_for_the_next_time_if_there_is_one(
    led: Schedule[str], looked_at: bool
) -> None:
    """A new version wakes its model, too: the pass over the model that is under way may not know of it."""
    led.wake("a", 0)
    led.wake("b", 0)
    assert led.take(0) == "a"
    led.wake("a1", 1)
    led.wake("a", 1)
    if looked_at:
        assert led.take(1) == "b"
        assert led.take(1) is None
        led.done("b")
        led.wake("b", 1)
    led.done("a")

    assert led.depth == 3
    assert drained(led, 1) == ["a", "a1", "b"]


def test_who_has_waited_for_the_next_time_waits_no_more(led: Schedule[str]) -> None:
    led.wake("a", 0)
    assert led.take(0) == "a"
    led.wake("a1", 1)
    for turn, follows in ((2, "a"), (3, "a1")):
        led.wake("a", turn)
        led.done("a")
        assert led.take(turn) == follows
    led.done("a1")
    assert drained(led, 4) == ["a"]


def test_who_leads_is_not_held_back_by_who_it_leads(led: Schedule[str]) -> None:
    """A follower that is woken during its pass, as its leader is, waits for that."""
    led.wake("a1", 0)
    assert led.take(0) == "a1"
    led.wake("a", 1)
    assert led.take(1) is None
    led.wake("a1", 1)
    led.done("a1")

    assert drained(led, 1) == ["a", "a1"]


def test_who_comes_does_not_wait_for_the_slowest_of_those_with_its_leader(led: Schedule[str]) -> None:
    for key in ("a1", "a2"):
        led.wake(key, 0)
        assert led.take(0) == key
    led.wake("a", 0)
    assert led.take(0) is None
    led.done("a1")
    assert led.take(1) == "a"
    led.wake("a3", 2)
    led.wake("a", 2)
    led.done("a")

    assert led.take(2) == "a3"


def test_followers_of_one_leader_run_side_by_side(led: Schedule[str]) -> None:
    for key in ("a1", "a2"):
        led.wake(key, 0)

    assert {led.take(0), led.take(0)} == {"a1", "a2"}


def test_a_leader_waits_for_one_of_its_followers_and_then_no_more(led: Schedule[str]) -> None:
    for key in ("a1", "a2"):
        led.wake(key, 0)
        assert led.take(0) == key
    led.wake("a", 0)
    assert led.take(0) is None
    led.done("a1")

    assert led.take(0) == "a"


def test_what_waits_counts_as_queued_and_is_not_queued_twice(led: Schedule[str]) -> None:
    led.wake("a", 0)
    assert led.take(0) == "a"
    led.wake("a1", 0)
    assert led.take(0) is None
    led.wake("a1", 1)
    led.wake_at("a1", 1)
    assert (led.depth, led.next_due()) == (1, None)
    led.done("a")

    assert drained(led, 1) == ["a1"]


@pytest.mark.parametrize("seed", range(20))
def test_every_key_that_was_woken_runs_in_the_end(seed: int) -> None:
    """Whatever is woken, taken and done in whatever order."""
    dice = random.Random(seed)
    schedule: Schedule[str] = Schedule(lambda key: key[0] if len(key) == 2 else None)
    running: list[str] = []
    waited: set[str] = set()
    for turn in range(400):
        if dice.random() < 0.5:
            key = dice.choice(("a", "a1", "a2", "b", "b1"))
            schedule.wake(key, turn)
            waited.add(key)
        elif running and dice.random() < 0.6:
            schedule.done(running.pop(dice.randrange(len(running))))
        elif (taken := schedule.take(turn)) is not None:
            assert taken not in running
            running.append(taken)
            waited.discard(taken)
    for key in running:
        schedule.done(key)

    assert waited <= set(drained(schedule, 400))
    assert (schedule.depth, schedule.running) == (0, 0)
