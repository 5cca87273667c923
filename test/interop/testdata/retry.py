"""Rejects a message of a queue with delayed retry. Usage: retry.py HOST:PORT declare | tour | reject"""
import sys, time
import pika

host, port = sys.argv[1].split(":")
ch = pika.BlockingConnection(pika.ConnectionParameters(host, int(port), heartbeat=0)).channel()


def next(after=0.0):
    """The next message, which must not come sooner."""
    begin = time.time()
    while time.time() < begin + 20:
        method, props, body = ch.basic_get("jobs")
        if method:
            waited = time.time() - begin
            assert waited >= after - 0.02, "came after %.3f s, not %.3f" % (waited, after)
            return method.delivery_tag, (props.headers or {}).get("x-delivery-count", 0)
        time.sleep(0.005)
    sys.exit("nothing came")


def tour():
    ch.basic_publish("", "jobs", b"m")
    tag, count = next()
    assert count == 0
    for n, delay in (1, 0.2), (2, 0.4), (3, 0.5), (4, 0.5):
        ch.basic_reject(tag, requeue=True)
        tag, count = next(delay)
        assert count == n, count
    ch.basic_nack(tag, requeue=True)  # is no failure
    assert ch.basic_get("jobs", auto_ack=True)[0]


def reject():
    ch.confirm_delivery()
    ch.basic_publish("", "jobs", b"m")
    ch.basic_reject(next()[0], requeue=True)
    assert not ch.basic_get("jobs")[0]
    ch.basic_publish("", "other", b"m", pika.BasicProperties(delivery_mode=2))  # whose confirm makes safe what was before


def declare():
    ch.queue_declare("jobs", durable=True, arguments={"x-queue-type": "quorum"})
    ch.queue_declare("other", durable=True)


{"tour": tour, "reject": reject, "declare": declare}[sys.argv[2]]()
ch.connection.close()
print("done")
