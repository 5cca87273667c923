#!/usr/bin/env python3
"""Lesson 1, hello world: print what comes out of a queue."""

import lesson

options = lesson.arguments(__doc__, queue_type="classic").parse_args()

connection = lesson.connect(options)
channel = connection.channel()
channel.queue_declare(
    queue="hello",
    durable=options.queue_type == "quorum",
    arguments={"x-queue-type": options.queue_type},
)


def receive(channel, method, properties, body):
    lesson.say(f"received {body.decode()!r}")


# auto_ack: a message counts as done once it has been sent to us.
channel.basic_consume(queue="hello", on_message_callback=receive, auto_ack=True)
lesson.consume_until_interrupted(connection, channel)
