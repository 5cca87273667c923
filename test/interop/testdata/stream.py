"""Reads and writes a stream. Usage: stream.py HOST:PORT publish FROM TO | read OFFSET COUNT [filter] | tour"""
import datetime, sys, time
import pika

host, port = sys.argv[1].split(":")


def channel():
    ch = pika.BlockingConnection(pika.ConnectionParameters(host, int(port), heartbeat=0)).channel()
    ch.queue_declare("events", durable=True, arguments={"x-queue-type": "stream"})
    return ch


def publish(ch, first, last):
    ch.confirm_delivery()
    for i in range(first, last):
        ch.basic_publish("", "events", b"%d" % i, pika.BasicProperties(headers={"x-stream-filter-value": "odd" if i % 2 else "even"}))


class Reader:
    def __init__(self, prefetch=50, **args):
        self.ch, self.got = channel(), []
        self.ch.basic_qos(prefetch_count=prefetch)
        args = {k.replace("_", "-"): v for k, v in args.items()}
        self.tag = self.ch.basic_consume("events", self.take, arguments=args)

    def take(self, ch, method, props, body):
        assert not method.redelivered
        self.got.append((props.headers["x-stream-offset"], int(body)))
        ch.basic_ack(method.delivery_tag)

    def until(self, n):
        end = time.time() + 20
        while len(self.got) < n and time.time() < end:
            self.ch.connection.process_data_events(time_limit=0.05)
        got, self.got = self.got[:n], self.got[n:]
        return got


def same(ns):
    return [(n, n) for n in ns]


def tour():
    ch = channel()
    begin = datetime.datetime.now()
    publish(ch, 0, 300)
    time.sleep(1.1)
    middle = datetime.datetime.now()
    publish(ch, 300, 400)
    assert Reader(x_stream_offset="first").until(400) == same(range(400))
    assert Reader(x_stream_offset=250).until(150) == same(range(250, 400))
    assert Reader(x_stream_offset="last").until(1) == same([399])
    assert Reader(x_stream_offset=middle).until(100)[-1] == (399, 399)
    assert 0 <= Reader(x_stream_offset=middle).until(1)[0][0] <= 300
    assert Reader(x_stream_offset=begin).until(1) == same([0])
    assert Reader(x_stream_offset="1h").until(1) == same([0])
    assert Reader(x_stream_offset="first", x_stream_filter="odd").until(200) == same(range(1, 400, 2))
    assert Reader(x_stream_offset="first", x_stream_filter=["odd", "even"]).until(400) == same(range(400))
    next, ahead = Reader(), Reader(x_stream_offset=405)
    slow, quick = Reader(prefetch=1, x_stream_offset="first"), Reader(x_stream_offset="first")
    assert slow.until(1) == same([0])
    publish(ch, 400, 410)
    assert next.until(10) == same(range(400, 410))
    assert ahead.until(5) == same(range(405, 410))
    assert quick.until(410) == same(range(410))
    assert slow.until(409) == same(range(1, 410))
    print("done")


command = sys.argv[2]
if command == "tour":
    tour()
elif command == "publish":
    publish(channel(), int(sys.argv[3]), int(sys.argv[4]))
    print("done")
elif command == "read":
    offset = sys.argv[3]
    got = Reader(x_stream_offset=int(offset) if offset.isdigit() else offset).until(int(sys.argv[4]))
    for offset, body in got:
        assert offset == body, (offset, body)
    print("from", got[0][0], "to", got[-1][0])
