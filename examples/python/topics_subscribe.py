#!/usr/bin/env python3
"""Lesson 5, topics: hear what matches a pattern. * is one word, # any number."""

import lesson

parser = lesson.arguments(__doc__)
parser.add_argument("pattern", nargs="+", help="for instance: 'door.*' '#.error'")
options = parser.parse_args()

connection = lesson.connect(options)
channel = connection.channel()
channel.exchange_declare(exchange="log.topic", exchange_type="topic")
queue = channel.queue_declare(queue="", exclusive=True).method.queue

# A message that matches several patterns still comes once.
for pattern in options.pattern:
    channel.queue_bind(queue=queue, exchange="log.topic", routing_key=pattern)


def receive(channel, method, properties, body):
    lesson.say(f"received {method.routing_key}: {body.decode()!r}")


channel.basic_consume(queue=queue, on_message_callback=receive, auto_ack=True)
lesson.consume_until_interrupted(connection, channel)
