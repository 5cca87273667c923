#!/usr/bin/env python3
"""Lesson 1, hello world: put a message into a queue."""

import lesson

parser = lesson.arguments(__doc__, queue_type="classic")
parser.add_argument("text", nargs="?", default="Hello!")
options = parser.parse_args()

connection = lesson.connect(options)
channel = connection.channel()

# Declaring is asking for the queue to be there. Sender and receiver both do it,
# so either may start first.
channel.queue_declare(
    queue="hello",
    durable=options.queue_type == "quorum",
    arguments={"x-queue-type": options.queue_type},
)

# The exchange without a name takes the routing key for the name of a queue.
channel.basic_publish(exchange="", routing_key="hello", body=options.text.encode())
lesson.say(f"sent {options.text!r}")
connection.close()
