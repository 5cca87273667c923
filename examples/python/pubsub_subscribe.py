#!/usr/bin/env python3
"""Lesson 3, publish and subscribe: hear what is published from now on."""

import lesson

options = lesson.arguments(__doc__).parse_args()

connection = lesson.connect(options)
channel = connection.channel()
channel.exchange_declare(exchange="news", exchange_type="fanout")

# A queue of our own: the broker picks its name and removes it when we leave.
queue = channel.queue_declare(queue="", exclusive=True).method.queue
channel.queue_bind(queue=queue, exchange="news")


def receive(channel, method, properties, body):
    lesson.say(f"received {body.decode()!r}")


channel.basic_consume(queue=queue, on_message_callback=receive, auto_ack=True)
lesson.consume_until_interrupted(connection, channel)
