#!/usr/bin/env python3
"""Lesson 4, routing: publish a log line under its severity."""

import lesson

parser = lesson.arguments(__doc__)
parser.add_argument("severity", nargs="?", default="info")
parser.add_argument("text", nargs="?", default="All is well.")
options = parser.parse_args()

connection = lesson.connect(options)
channel = connection.channel()
channel.exchange_declare(exchange="log.severity", exchange_type="direct")
channel.basic_publish(
    exchange="log.severity", routing_key=options.severity, body=options.text.encode()
)
lesson.say(f"sent {options.severity}: {options.text!r}")
connection.close()
