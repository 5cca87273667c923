#!/usr/bin/env python3
"""Lesson 5, topics: publish a log line under source and severity."""

import lesson

parser = lesson.arguments(__doc__)
parser.add_argument("topic", nargs="?", default="door.info", help="words with dots between")
parser.add_argument("text", nargs="?", default="The door is open.")
options = parser.parse_args()

connection = lesson.connect(options)
channel = connection.channel()
channel.exchange_declare(exchange="log.topic", exchange_type="topic")
channel.basic_publish(
    exchange="log.topic", routing_key=options.topic, body=options.text.encode()
)
lesson.say(f"sent {options.topic}: {options.text!r}")
connection.close()
