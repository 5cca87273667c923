"""Logs in over TLS by each of the ways that there are, and says what came of it."""
import os, ssl
import pika

ca, cert, key, port = os.environ["CA"], os.environ["CERT"], os.environ["KEY"], int(os.environ["TLSPORT"])


def go(name, context, credentials):
    parameters = pika.ConnectionParameters(
        "localhost", port, "/", credentials, ssl_options=pika.SSLOptions(context, "localhost"), connection_attempts=1)
    try:
        connection = pika.BlockingConnection(parameters)
    except Exception as e:
        print(name, "refused", type(e).__name__)
        return
    channel = connection.channel()
    channel.confirm_delivery()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.basic_publish("", queue, b"x" * 500000)
    print(name, len(channel.basic_get(queue, True)[2]))
    connection.close()


trusting = ssl.create_default_context(cafile=ca)
known = ssl.create_default_context(cafile=ca)
known.load_cert_chain(cert, key)
go("password", trusting, pika.PlainCredentials("guest", "guest"))
go("certificate", known, pika.credentials.ExternalCredentials())
go("no certificate", trusting, pika.credentials.ExternalCredentials())
go("no trust", ssl.create_default_context(), pika.PlainCredentials("guest", "guest"))
