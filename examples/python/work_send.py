#!/usr/bin/env python3
"""Lesson 2, work queues: hand out tasks. Each dot in a task is a second of work."""

import pika

import lesson

parser = lesson.arguments(__doc__, queue_type="quorum")
parser.add_argument("task", nargs="+")
options = parser.parse_args()

connection = lesson.connect(options)
channel = connection.channel()
channel.queue_declare(
    queue="tasks", durable=True, arguments={"x-queue-type": options.queue_type}
)

# From here on a publish returns when the broker has the message safe on disk,
# and raises an exception if it cannot take it.
channel.confirm_delivery()
for task in options.task:
    channel.basic_publish(
        exchange="",
        routing_key="tasks",
        body=task.encode(),
        properties=pika.BasicProperties(delivery_mode=2),  # persistent
        mandatory=True,
    )
    lesson.say(f"sent {task!r}")
connection.close()
