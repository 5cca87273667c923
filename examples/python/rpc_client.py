#!/usr/bin/env python3
"""Lesson 6, remote procedure call: ask for Fibonacci numbers."""

import uuid

import pika

import lesson

parser = lesson.arguments(__doc__)
parser.add_argument("n", nargs="*", type=int, default=[30])
parser.add_argument(
    "--direct", action="store_true", help="get answers by direct reply-to, without a queue"
)
options = parser.parse_args()

connection = lesson.connect(options)
channel = connection.channel()

if options.direct:
    # Not a queue but a name for this channel. Its consumer must not acknowledge.
    answers = "amq.rabbitmq.reply-to"
else:
    answers = channel.queue_declare(queue="", exclusive=True).method.queue

waiting = {}  # correlation id of a question without an answer: its n


def receive(channel, method, properties, body):
    # An id that nobody waits for is an answer to somebody else, or one too many.
    if properties.correlation_id in waiting:
        n = waiting.pop(properties.correlation_id)
        lesson.say(f"fibonacci({n}) = {body.decode()}")


channel.basic_consume(queue=answers, on_message_callback=receive, auto_ack=True)

# All questions at once: the id tells which answer belongs to which.
for n in options.n:
    question = str(uuid.uuid4())
    waiting[question] = n
    channel.basic_publish(
        exchange="",
        routing_key="rpc.fibonacci",
        properties=pika.BasicProperties(reply_to=answers, correlation_id=question),
        body=str(n).encode(),
    )

while waiting:
    connection.process_data_events(time_limit=None)
connection.close()
