"""Tasks for the worker of the tests."""

import os
import time

from celery import Celery
from kombu import Queue

app = Celery("tasks", broker=os.environ["AMQP_URL"], backend="rpc://")
app.conf.update(
    result_expires=600,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    task_send_sent_event=True,
    task_queues=[
        Queue("celery"),
        Queue("ranked", queue_arguments={"x-max-priority": 10}),
    ],
)


@app.task
def add(x, y):
    return x + y


@app.task
def fail(text):
    raise ValueError(text)


@app.task(bind=True, max_retries=3, default_retry_delay=0)
def third_time_lucky(self):
    if self.request.retries < 2:
        raise self.retry()
    return self.request.retries


@app.task
def now():
    return time.time()


@app.task(rate_limit="2/s")
def limited():
    return time.time()


@app.task
def note(path, word):
    """Append a word to a file."""
    with open(path, "a") as file:
        file.write(word + "\n")


@app.task(bind=True, acks_late=True)
def interrupted(self, path):
    """Take for ever the first time; the second time say whether we were told."""
    if not os.path.exists(path):
        open(path, "w").close()
        time.sleep(3600)
    return bool(self.request.delivery_info["redelivered"])


@app.task
def forever(path):
    open(path, "w").close()
    time.sleep(3600)
