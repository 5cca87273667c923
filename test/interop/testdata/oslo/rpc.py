"""OpenStack's oslo.messaging against a broker: calls, errors, casts to one server
and to all, notifications.

usage: rpc.py URL [option=value ...]     options of oslo_messaging_rabbit
"""

import sys
import time

from oslo_config import cfg
import oslo_messaging as messaging
from oslo_messaging._metrics import client as metrics

conf = cfg.ConfigOpts()
conf([])
conf.register_opts(metrics.oslo_messaging_metrics, group="oslo_messaging_metrics")
url, options = sys.argv[1], dict(a.split("=") for a in sys.argv[2:])
transport = messaging.get_rpc_transport(conf, url=url)
notifications = messaging.get_notification_transport(conf, url=url)
for name, value in options.items():
    conf.set_override(name, value == "true", group="oslo_messaging_rabbit")


class Endpoint:
    def __init__(self):
        self.notes = []

    def echo(self, context, value):
        return {"value": value}

    def refuse(self, context):
        raise ValueError("no")

    def note(self, context, text):
        self.notes.append(text)


class Listener:
    def __init__(self):
        self.events = []

    def info(self, context, publisher, event, payload, metadata):
        self.events.append((publisher, event, payload))
        return messaging.NotificationResult.HANDLED


def eventually(what, condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


endpoints = {name: Endpoint() for name in ("one", "two")}
servers = []
for name, endpoint in endpoints.items():
    target = messaging.Target(topic="topic", server=name)
    servers.append(messaging.get_rpc_server(transport, target, [endpoint], executor="threading"))
    servers[-1].start()

client = messaging.get_rpc_client(transport, messaging.Target(topic="topic"), timeout=60)
for name in endpoints:  # answers when its queues are there
    assert client.prepare(server=name).call({}, "echo", value=name) == {"value": name}
assert [client.call({}, "echo", value=i) for i in range(50)] == [{"value": i} for i in range(50)]
print("calls", flush=True)

try:
    client.call({}, "refuse")
    raise AssertionError("not refused")
except ValueError as e:
    assert str(e).startswith("no"), e
print("errors", flush=True)

client.prepare(server="two").cast({}, "note", text="for two")
eventually("a cast", lambda: endpoints["two"].notes == ["for two"])
client.prepare(fanout=True).cast({}, "note", text="for all")
eventually("a cast to all", lambda: all(e.notes[-1:] == ["for all"] for e in endpoints.values()))
assert endpoints["one"].notes == ["for all"], endpoints["one"].notes
print("casts", flush=True)

heard = Listener()
listener = messaging.get_notification_listener(
    notifications, [messaging.Target(topic="notes")], [heard], executor="threading")
listener.start()
notifier = messaging.Notifier(notifications, "me", driver="messagingv2", topics=["notes"])
notifier.info({}, "volume.created", {"size": 3})
eventually("a notification", lambda: heard.events == [("me", "volume.created", {"size": 3})])
print("notifications", flush=True)

for s in servers + [listener]:
    s.stop()
    s.wait()
print("ok", flush=True)
