"""Plays Paho's Python client against the broker at 127.0.0.1:PORT and prints 'ok' when everything came as it should.

    /usr/bin/python3 paho-client.py PORT VERSION        (VERSION 3, 4 or 5)
"""

import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PORT, VERSION = int(sys.argv[1]), int(sys.argv[2])
PATIENCE = 10


class Client:
    """A connected client whose events can be waited for."""

    def __init__(self, name, clean=True, will=None):
        self.connected, self.subscribed, self.published = queue.Queue(), queue.Queue(), queue.Queue()
        self.messages, self.gone = queue.Queue(), queue.Queue()
        clean_start = {} if VERSION == 5 else {"clean_session": clean}
        self.paho = mqtt.Client(client_id=f"paho-{VERSION}-{name}", protocol=VERSION, **clean_start)
        self.paho.on_connect = lambda _c, _u, flags, code, _p=None: self.connected.put((flags, code))
        self.paho.on_subscribe = lambda _c, _u, mid, codes, _p=None: self.subscribed.put(mid)
        self.paho.on_publish = lambda _c, _u, mid: self.published.put(mid)
        self.paho.on_message = lambda _c, _u, message: self.messages.put(message)
        self.paho.on_disconnect = lambda _c, _u, code, _p=None: self.gone.put(code)
        if will is not None:
            self.paho.will_set(*will)
        options = {}
        if VERSION == 5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 0 if clean else 3600
            options = {"clean_start": clean, "properties": properties}
        self.paho.connect("127.0.0.1", PORT, keepalive=30, **options)
        self.paho.loop_start()
        self.flags, code = self.connected.get(timeout=PATIENCE)
        assert code == 0, f"{name} was refused: {code}"

    def subscribe(self, topic, qos):
        self.paho.subscribe(topic, qos)
        self.subscribed.get(timeout=PATIENCE)

    def publish(self, topic, payload, qos, retain=False):
        self.paho.publish(topic, payload, qos, retain)
        self.published.get(timeout=PATIENCE)

    def expect(self, topic, payload, qos, retain=False):
        message = self.messages.get(timeout=PATIENCE)
        found = (message.topic, message.payload.decode(), message.qos, bool(message.retain))
        assert found == (topic, payload, qos, retain), f"{found} instead of {(topic, payload, qos, retain)}"

    def end(self):
        self.paho.disconnect()
        self.gone.get(timeout=PATIENCE)
        self.paho.loop_stop()

    def die(self):
        """Closes the connection without a DISCONNECT."""
        self.paho.loop_stop()
        self.paho.socket().close()


def every_qos():
    client = Client("qos")
    client.subscribe("paho/#", 2)
    for qos in (0, 1, 2):
        client.publish(f"paho/{qos}", f"payload {qos}", qos)
        client.expect(f"paho/{qos}", f"payload {qos}", qos)
    client.end()


def retained_and_will():
    client = Client("keeper")
    client.publish("kept/paho", "state", 1, True)
    watcher = Client("watcher")
    watcher.subscribe("kept/#", 1)
    watcher.expect("kept/paho", "state", 1, True)
    Client("dying", will=("kept/will", "gone", 1, False)).die()
    watcher.expect("kept/will", "gone", 1)
    client.publish("kept/paho", "", 1, True)
    watcher.expect("kept/paho", "", 1)
    client.end()
    watcher.end()


def waiting_messages():
    first = Client("lasting", clean=False)
    first.subscribe("queue/paho", 2)
    first.end()
    publisher = Client("publisher")
    for number in range(5):
        publisher.publish("queue/paho", str(number), 2)
    publisher.end()
    again = Client("lasting", clean=False)
    present = again.flags["session present"]
    assert VERSION == 3 or present == 1, "the session is not there any more"
    for number in range(5):
        again.expect("queue/paho", str(number), 2)
    again.end()


every_qos()
retained_and_will()
waiting_messages()
print("ok")
