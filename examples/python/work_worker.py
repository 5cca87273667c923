#!/usr/bin/env python3
"""Lesson 2, work queues: do one task at a time. Start several of these."""

import lesson

options = lesson.arguments(__doc__, queue_type="quorum").parse_args()

connection = lesson.connect(options)
channel = connection.channel()
channel.queue_declare(
    queue="tasks", durable=True, arguments={"x-queue-type": options.queue_type}
)

# No second task before the first one is acknowledged: whoever is free gets it.
channel.basic_qos(prefetch_count=1)


def work(channel, method, properties, body):
    task = body.decode()
    again = " again, somebody did not finish it" if method.redelivered else ""
    lesson.say(f"got {task!r}{again}")
    # Unlike time.sleep, this answers the broker's heartbeats meanwhile.
    connection.sleep(task.count("."))
    # Only now is the task done. Had this program died before, the broker would
    # give the task to another worker.
    channel.basic_ack(delivery_tag=method.delivery_tag)
    lesson.say(f"done {task!r}")


channel.basic_consume(queue="tasks", on_message_callback=work)
lesson.consume_until_interrupted(connection, channel)
