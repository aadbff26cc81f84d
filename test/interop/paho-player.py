"""Plays Paho's Python client as it is told on standard input, one JSON object a line, and answers on standard output.

Asked:     {"n": 1, "client": 2, "do": "dial" | "publish" | "subscribe" | "unsubscribe" | "end" | "cut", ...}
Answered:  {"n": 1, "ok": ...} or {"n": 1, "refused": CODE} or {"n": 1, "error": TEXT}
Told:      {"client": 2, "message": {...}} and {"client": 2, "gone": CODE or null}

Properties are called as the project calls them (contentType); binary values stand as text of one character a byte.
"""

import json
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCodes
from paho.mqtt.subscribeoptions import SubscribeOptions

WRITING = threading.Lock()
BINARY = ("CorrelationData", "AuthenticationData")


def tell(**what):
    with WRITING:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def to_paho(packet_type, wanted):
    """Properties for Paho; None where there are none."""
    if not wanted:
        return None
    properties = Properties(packet_type)
    for name, value in wanted.items():
        if name == "userProperties":
            properties.UserProperty = [tuple(pair) for pair in value]
        elif name == "subscriptionIdentifier":
            properties.SubscriptionIdentifier = value
        else:
            name = name[0].upper() + name[1:]
            setattr(properties, name, value.encode("latin-1") if name in BINARY else value)
    return properties


def from_paho(properties):
    found = {}
    for name, value in (vars(properties) if properties is not None else {}).items():
        if name in ("packetType", "types", "names", "properties"):
            continue
        if name == "UserProperty":
            found["userProperties"] = [list(pair) for pair in value]
        elif name in BINARY:
            found[name[0].lower() + name[1:]] = value.decode("latin-1")
        else:
            found[name[0].lower() + name[1:]] = value
    return found


def code_of(reason):
    return reason.value if isinstance(reason, ReasonCodes) else int(reason)


class Client:
    def __init__(self, number, asked):
        self.number, self.version = number, asked["level"]
        self.asked = {}
        self.connecting = asked["n"]
        self.ending = False
        # Paho hands out topic aliases as they come: what they stand for is its user's business.
        self.aliases = {}
        options = {} if self.version == 5 else {"clean_session": asked["clean"]}
        transport = "websockets" if asked["kind"] == "ws" else "tcp"
        self.paho = mqtt.Client(client_id=asked["id"], protocol=self.version, transport=transport, **options)
        self.paho.reconnect_delay_set(1, 1)
        self.paho.on_connect = self.on_connect
        self.paho.on_disconnect = self.on_disconnect
        self.paho.on_message = self.on_message
        self.paho.on_publish = lambda _c, _u, mid: self.answer(mid, None)
        self.paho.on_subscribe = lambda _c, _u, mid, codes, *_p: self.answer(mid, [code_of(code) for code in codes])
        self.paho.on_unsubscribe = lambda _c, _u, mid, *_p: self.answer(mid, None)
        self.reconnects = asked["reconnects"]
        self.lock = threading.Lock()
        self.early = {}
        if asked["kind"] == "tls":
            self.paho.tls_set(ca_certs=asked["ca"])
        if "username" in asked:
            self.paho.username_pw_set(asked["username"], asked.get("password"))
        if "will" in asked:
            will = asked["will"]
            extra = {"properties": to_paho(PacketTypes.WILLMESSAGE, will["properties"])} if self.version == 5 else {}
            self.paho.will_set(will["topic"], will["payload"], will["qos"], will["retain"], **extra)
        options = {}
        if self.version == 5:
            options = {"clean_start": asked["clean"], "properties": to_paho(PacketTypes.CONNECT, asked["properties"])}
        self.paho.connect("localhost", asked["port"], keepalive=30, **options)
        self.paho.loop_start()

    def wait_for(self, mid, n):
        """Answers n when the packet of this id is acknowledged, which it may be already."""
        with self.lock:
            if mid not in self.early:
                self.asked[mid] = n
                return
            value = self.early.pop(mid)
        tell(n=n, ok=value)

    def answer(self, mid, value):
        with self.lock:
            n = self.asked.pop(mid, None)
            if n is None:
                self.early[mid] = value
        if n is not None:
            tell(n=n, ok=value)

    def on_connect(self, _client, _user, flags, reason, properties=None):
        n, self.connecting = self.connecting, None
        if n is None:
            return
        if code_of(reason) != 0:
            self.stop()
            tell(n=n, refused=code_of(reason))
        else:
            tell(n=n, ok={"present": flags["session present"] == 1, "properties": from_paho(properties)})

    def on_disconnect(self, _client, _user, reason, *_properties):
        if self.reconnects and not self.ending:
            return
        self.stop()
        # Without a DISCONNECT there is an error number of Paho's own.
        tell(client=self.number, gone=code_of(reason) if isinstance(reason, ReasonCodes) else None)

    def on_message(self, _client, _user, message):
        properties = from_paho(getattr(message, "properties", None))
        topic, alias = message.topic, properties.get("topicAlias")
        if alias is not None and topic:
            self.aliases[alias] = topic
        elif alias is not None:
            topic = self.aliases[alias]
        found = {"topic": topic, "payload": message.payload.decode(), "qos": message.qos}
        tell(client=self.number, message={**found, "retain": bool(message.retain), "properties": properties})

    def stop(self):
        """Has the thread of the connection end; it may be this one, which can't wait for itself."""
        self.paho._thread_terminate = True

    def publish(self, asked):
        extra = {"properties": to_paho(PacketTypes.PUBLISH, asked["properties"])} if self.version == 5 else {}
        info = self.paho.publish(asked["topic"], asked["payload"], asked["qos"], asked["retain"], **extra)
        self.wait_for(info.mid, asked["n"])

    def subscribe(self, asked):
        if self.version == 5:
            filters = [
                (one["filter"], SubscribeOptions(one["qos"], one["noLocal"], one["retainAsPublished"], one["retainHandling"]))
                for one in asked["filters"]
            ]
            _result, mid = self.paho.subscribe(filters, properties=to_paho(PacketTypes.SUBSCRIBE, asked["properties"]))
        else:
            _result, mid = self.paho.subscribe([(one["filter"], one["qos"]) for one in asked["filters"]])
        self.wait_for(mid, asked["n"])

    def unsubscribe(self, asked):
        _result, mid = self.paho.unsubscribe(asked["filters"])
        self.wait_for(mid, asked["n"])

    def end(self, asked):
        self.ending = True
        if self.version == 5:
            reason = ReasonCodes(PacketTypes.DISCONNECT, identifier=asked["code"])
            self.paho.disconnect(reason, to_paho(PacketTypes.DISCONNECT, asked["properties"]))
        else:
            self.paho.disconnect()
        tell(n=asked["n"], ok=None)

    def cut(self, asked):
        self.ending = True
        self.stop()
        self.paho.socket().close()
        tell(n=asked["n"], ok=None)


clients = {}
for line in sys.stdin:
    asked = json.loads(line)
    try:
        if asked["do"] == "dial":
            clients[asked["client"]] = Client(asked["client"], asked)
        else:
            getattr(clients[asked["client"]], asked["do"])(asked)
    except Exception as error:
        tell(n=asked["n"], error=f"{type(error).__name__}: {error}")
