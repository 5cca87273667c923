#!/usr/bin/env python3
"""Lesson 3, publish and subscribe: tell everybody who listens."""

import lesson

parser = lesson.arguments(__doc__)
parser.add_argument("text", nargs="?", default="Something has happened.")
options = parser.parse_args()

connection = lesson.connect(options)
channel = connection.channel()

# A fanout exchange copies each message to all queues bound to it. Where none
# is, nobody listens, and the message goes nowhere.
channel.exchange_declare(exchange="news", exchange_type="fanout")
channel.basic_publish(exchange="news", routing_key="", body=options.text.encode())
lesson.say(f"sent {options.text!r}")
connection.close()
