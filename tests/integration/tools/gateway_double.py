# SPDX-License-Identifier: MPL-2.0
"""A UPnP gateway that gives the answers of a test: unusual, refusing or hostile.

It runs in the gateway's namespace and uses IPv4 only, as many routers do.  Tests with a real
gateway use gateway.py."""

import http.server
import re
import socket
import struct
import threading

import gateway
import waiting

PORT_SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
DIALLED_SERVICE = "urn:schemas-upnp-org:service:WANPPPConnection:1"
PINHOLE_SERVICE = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1"
_GROUP = "239.255.255.250"

_SERVICE = """<service><serviceType>{0}</serviceType><serviceId>urn:upnp-org:serviceId:{1}</serviceId>
<SCPDURL>/{1}.xml</SCPDURL><controlURL>/{1}</controlURL><eventSubURL>/{1}/events</eventSubURL></service>"""
_DEVICE = """<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>
<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><serviceList>""" + \
    _SERVICE.format("urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1", "common") + \
    """</serviceList><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList>""" + \
    _SERVICE.format(PORT_SERVICE, "ports") + _SERVICE.format(PINHOLE_SERVICE, "pinholes") + \
    "</serviceList></device></deviceList></device></deviceList></device></root>"
#: A gateway with two WAN connections.
TWO_CONNECTIONS = _DEVICE.replace(
    _SERVICE.format(PORT_SERVICE, "ports"),
    _SERVICE.format(DIALLED_SERVICE, "dialled") + _SERVICE.format(PORT_SERVICE, "ports"))
_ENVELOPE = """<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">
<s:Body>{}</s:Body></s:Envelope>"""
_FAULT = """<s:Fault><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{0}</errorCode>
<errorDescription>Error {0}</errorDescription></UPnPError></detail></s:Fault>"""

#: The answer to each action: fields, an error number, raw bytes, or a function of the request.
GOOD = {
    "GetStatusInfo": {"NewConnectionStatus": "Connected", "NewUptime": 1},
    "GetExternalIPAddress": {"NewExternalIPAddress": gateway.OUTER},
    "GetSpecificPortMappingEntry": 714,
    "AddPortMapping": {},
    "DeletePortMapping": {},
    "GetFirewallStatus": {"FirewallEnabled": 1, "InboundPinholeAllowed": 1},
    "AddPinhole": {"UniqueID": 4711},
    "GetPinholePackets": {"PinholePackets": 0},
    "DeletePinhole": {},
}


class Talk:
    """An answer without end: writes `head`, then `again` repeatedly, until the peer closes.  `sent`
    counts the bytes."""

    MOST = 1 << 26

    def __init__(self, head, again, pause=0):
        self.head, self.again, self.pause = head, again, pause
        self.sent, self.began, self.over = 0, 0, threading.Event()

    def __call__(self, out):
        self.began += 1
        try:
            piece = self.head
            while self.sent < self.MOST and not self.over.wait(self.pause):
                out.write(piece)
                out.flush()
                self.sent += len(piece)
                piece = self.again
        except OSError:
            pass  # the peer has closed


class GatewayDouble:
    """`answers` replaces entries of GOOD, by action or by (service, action), which takes
    precedence.  `asked` lists the requests as (action, {field: text}), `called` as (service,
    action).

    `host` is its address, `describe` its description (text, or a Talk, an answer without end), `location` the URL of the
    description that it announces.  The last two may be changed while it runs."""

    def __init__(self, nets, host=gateway.INNER, describe=_DEVICE, location=None, **answers):
        self.answers = {**GOOD, **answers}
        self.asked = []
        self.called = []
        self.described = 0
        self.host, self.describe, self.location = host, describe, location
        #: How many copies of each answer to a search it sends; a function that it calls before; an
        #: event that is set after.
        self.copies, self.first, self.answered = 1, lambda double: None, threading.Event()
        nets.call("gateway", self._open)

    def count(self, action):
        return sum(name == action for name, _ in self.asked)

    def fields(self, action):
        """The fields of the last request for this action."""
        return [fields for name, fields in self.asked if name == action][-1]

    def _open(self):
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def _send(self, code, body):
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                double.described += 1
                self.close_connection = True
                if isinstance(double.describe, Talk):
                    double.describe(self.wfile)
                else:
                    self._send(200, double.describe.encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                service, _, action = self.headers["SOAPAction"].strip('"').partition("#")
                if isinstance(double.answers.get(action), Talk):
                    double.asked.append((action, {}))
                    self.close_connection = True
                    double.answers[action](self.wfile)
                else:
                    self._send(*double._answer(service, action, body))

        self.http = http.server.ThreadingHTTPServer((self.host, 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.ssdp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ssdp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.ssdp.bind(("", 1900))
        self.mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.mouth.bind((self.host, 0))
        self.ssdp.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
            struct.pack("4s4s", socket.inet_aton(_GROUP), socket.inet_aton(gateway.INNER)))
        self.over = False
        self.thread = threading.Thread(target=self._be_found, daemon=True)
        self.thread.start()

    def _be_found(self):
        own = "http://{}:{}/device.xml".format(*self.http.server_address)
        while True:
            question, peer = self.ssdp.recvfrom(4096)
            if self.over:
                return
            location = self.location or own
            kind = re.search(rb"(?i)\r\nST: *(\S+)", question)
            if kind and b"InternetGatewayDevice:1" in kind.group(1):
                self.first(self)
                for _ in range(self.copies):
                    self.mouth.sendto(b"HTTP/1.1 200 OK\r\nST: " + kind.group(1)
                                     + b"\r\nLOCATION: " + location.encode()
                                     + b"\r\nUSN: uuid:double\r\n\r\n", peer)
                self.answered.set()

    def _answer(self, service, action, body):
        fields = dict(re.findall(r"<(\w+)>([^<]*)</\1>", body))
        self.asked.append((action, fields))
        self.called.append((service, action))
        answer = self.answers.get((service, action), self.answers.get(action, 401))
        if callable(answer):
            answer = answer(fields)
        if isinstance(answer, bytes):
            return 200, answer
        if isinstance(answer, int):
            return 500, _ENVELOPE.format(_FAULT.format(answer)).encode()
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in answer.items())
        text = f'<u:{action}Response xmlns:u="{service}">{inner}</u:{action}Response>'
        return 200, _ENVELOPE.format(text).encode()

    def close(self, nets):
        self.over = True
        for talk in (self.describe, *self.answers.values()):
            if isinstance(talk, Talk):
                talk.over.set()
        self.http.shutdown()
        self.http.server_close()

        def end():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                                socket.inet_aton(gateway.INNER))
                sock.sendto(b"", (_GROUP, 1900))

        nets.call("gateway", end)
        self.thread.join(waiting.PATIENCE)
        self.ssdp.close()
        self.mouth.close()
