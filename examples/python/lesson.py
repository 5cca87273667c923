"""What all the lessons share: the broker's address and the connection to it."""

import argparse
import os
import signal
import sys

import pika


def arguments(description, queue_type=None):
    """A parser that knows --url, and --queue-type where a lesson has the choice."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--url",
        default=os.environ.get("AMQP_URL", "amqp://guest:guest@localhost:5672/"),
        help="the broker; otherwise $AMQP_URL, otherwise %(default)s",
    )
    if queue_type:
        parser.add_argument(
            "--queue-type",
            choices=["classic", "quorum"],
            default=queue_type,
            help="type of the queue (default %(default)s)",
        )
    return parser


def connect(options):
    """A connection that the program closes when it is done with it."""
    return pika.BlockingConnection(pika.URLParameters(options.url))


def say(*words):
    print(*words, flush=True)


def consume_until_interrupted(connection, channel):
    """Serve the channel's consumers until Ctrl-C or SIGTERM, then leave politely."""

    def stop(signum, frame):
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    say("waiting for messages; Ctrl-C ends")
    try:
        channel.start_consuming()
    except (KeyboardInterrupt, SystemExit):
        connection.close()
