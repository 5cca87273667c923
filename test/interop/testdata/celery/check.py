"""What a program that uses Celery does: each function is a check by its name."""

import datetime
import os
import sys
import time

from celery import group
from celery.exceptions import TaskRevokedError

import tasks

PATIENCE = 60


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)


def results(scratch):
    assert tasks.add.delay(2, 3).get(timeout=PATIENCE) == 5
    # Many at once, over one queue for results.
    many = group(tasks.add.s(i, i) for i in range(200))()
    assert many.get(timeout=PATIENCE) == [2 * i for i in range(200)]
    big = "x" * 300_000  # several frames
    assert tasks.add.delay(big, "y").get(timeout=PATIENCE) == big + "y"


def failure(scratch):
    result = tasks.fail.delay("on purpose")
    try:
        result.get(timeout=PATIENCE)
    except ValueError as error:
        assert str(error) == "on purpose"
    else:
        raise AssertionError("the failure is lost")
    assert result.status == "FAILURE"


def retry(scratch):
    assert tasks.third_time_lucky.delay().get(timeout=PATIENCE) == 2


def countdown(scratch):
    sent = time.time()
    done = tasks.now.apply_async(countdown=2).get(timeout=PATIENCE)
    assert done >= sent + 2, f"too early: {done - sent} s"


def far_ahead(scratch):
    # The worker holds more of these than it has prefetch: it raises its prefetch
    # for each. Otherwise what comes after them would wait for an hour.
    for _ in range(10):
        tasks.now.apply_async(countdown=3600)
    tasks.now.delay().get(timeout=PATIENCE)


def eta(scratch):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    done = tasks.now.apply_async(eta=when).get(timeout=PATIENCE)
    assert done >= when.timestamp(), f"too early: {when.timestamp() - done} s"


def rate_limit(scratch):
    done = sorted(task.get(timeout=PATIENCE) for task in [tasks.limited.delay() for _ in range(5)])
    # Two in a second: the first comes at once, the fifth after two seconds.
    assert done[-1] - done[0] > 1.5, f"five tasks in {done[-1] - done[0]} s"


def revoke(scratch):
    path = os.path.join(scratch, "never")
    waiting = tasks.note.apply_async(args=[path, "never"], countdown=3)
    tasks.app.control.revoke(waiting.id, reply=True, timeout=PATIENCE, limit=1)
    running_path = os.path.join(scratch, "running")
    running = tasks.forever.delay(running_path)
    wait_for(lambda: os.path.exists(running_path), "the task runs")
    running.revoke(terminate=True)
    for task in running, waiting:
        try:
            task.get(timeout=PATIENCE)
        except TaskRevokedError:
            pass
        else:
            raise AssertionError("a revoked task has a result")
    assert not os.path.exists(path), "a revoked task has run"


def inspect(scratch):
    assert all(reply == {"ok": "pong"} for reply in tasks.app.control.inspect(timeout=PATIENCE, limit=1).ping().values())
    names = tasks.app.control.inspect(timeout=PATIENCE, limit=1).registered()
    assert len(names) == 1 and "tasks.add" in list(names.values())[0], names
    stats = list(tasks.app.control.inspect(timeout=PATIENCE, limit=1).stats().values())[0]
    assert stats["broker"]["transport"] == "amqp", stats["broker"]
    queues = list(tasks.app.control.inspect(timeout=PATIENCE, limit=1).active_queues().values())[0]
    assert [queue["name"] for queue in queues] == ["celery"], queues


def events(scratch):
    missing = {"task-sent", "task-received", "task-started", "task-succeeded"}
    asked = []

    def hear(event):
        # A worker answers with its heartbeat when somebody begins to listen.
        if event["type"] == "worker-heartbeat" and not asked:
            asked.append(tasks.add.delay(1, 1).id)
        if asked and event.get("uuid") == asked[0]:
            missing.discard(event["type"])
        receiver.should_stop = not missing

    with tasks.app.connection() as connection:
        receiver = tasks.app.events.Receiver(connection, handlers={"*": hear})
        receiver.capture(timeout=PATIENCE)
    assert not missing, f"no {missing}"


def send_interrupted(scratch):
    result = tasks.interrupted.delay(os.path.join(scratch, "started"))
    print("sent", flush=True)
    assert result.get(timeout=PATIENCE) is True, "the second delivery was not flagged redelivered"


def send_ranked(scratch):
    path = os.path.join(scratch, "order")
    for rank in 1, 9, 5, None, 9, 5:
        tasks.note.apply_async(args=[path, str(rank or 0)], queue="ranked", priority=rank)


def order(scratch):
    with open(os.path.join(scratch, "order")) as file:
        return file.read().split()


def read_ranked(scratch):
    path = os.path.join(scratch, "order")
    wait_for(lambda: os.path.exists(path) and len(order(scratch)) == 6, "six tasks are done")
    assert order(scratch) == ["9", "9", "5", "5", "1", "0"], order(scratch)


globals()[sys.argv[1]](sys.argv[2])
print("ok")
