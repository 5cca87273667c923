#!/usr/bin/env python3
"""Lesson 4, routing: hear only the severities asked for."""

import lesson

parser = lesson.arguments(__doc__)
parser.add_argument("severity", nargs="+", help="for instance: warning error")
options = parser.parse_args()

connection = lesson.connect(options)
channel = connection.channel()
channel.exchange_declare(exchange="log.severity", exchange_type="direct")
queue = channel.queue_declare(queue="", exclusive=True).method.queue

# One binding for each severity. A direct exchange compares the routing key of a
# message with that of the binding, letter by letter.
for severity in options.severity:
    channel.queue_bind(queue=queue, exchange="log.severity", routing_key=severity)


def receive(channel, method, properties, body):
    lesson.say(f"received {method.routing_key}: {body.decode()!r}")


channel.basic_consume(queue=queue, on_message_callback=receive, auto_ack=True)
lesson.consume_until_interrupted(connection, channel)
