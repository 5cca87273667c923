#!/usr/bin/env python3
"""Lesson 6, remote procedure call: answer with Fibonacci numbers."""

import pika

import lesson

options = lesson.arguments(__doc__, queue_type="quorum").parse_args()


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


connection = lesson.connect(options)
channel = connection.channel()
channel.queue_declare(
    queue="rpc.fibonacci",
    durable=True,
    arguments={"x-queue-type": options.queue_type},
)
channel.basic_qos(prefetch_count=1)


def answer(channel, method, properties, body):
    try:
        n = int(body)
    except ValueError:
        # Nobody can answer this one; do not leave it to the next.
        lesson.say(f"not a number: {body.decode()!r}")
        channel.basic_reject(delivery_tag=method.delivery_tag, requeue=False)
        return
    lesson.say(f"asked for fibonacci({n})")
    # The question says where the answer goes, and what it is to be marked with.
    channel.basic_publish(
        exchange="",
        routing_key=properties.reply_to,
        properties=pika.BasicProperties(correlation_id=properties.correlation_id),
        body=str(fibonacci(n)).encode(),
    )
    channel.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_consume(queue="rpc.fibonacci", on_message_callback=answer)
lesson.consume_until_interrupted(connection, channel)
