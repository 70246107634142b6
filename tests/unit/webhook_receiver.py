"""A receiver of webhooks on 127.0.0.1, for the tests. It checks signatures with Python's own hmac.

usage: webhook_receiver.py LOG SECRET_HEX [CERTIFICATE]

Prints its port, then serves until its standard input is closed. Each request is one line of JSON in LOG. The path says
how it answers.
"""
import hashlib
import hmac
import http.server
import json
import os
import re
import ssl
import sys
import threading
import time

LOG, SECRET = sys.argv[1], bytes.fromhex(sys.argv[2])
seen = {}
lock = threading.Lock()


def is_signed(header, body):
    found = re.fullmatch(r"t=([0-9]+), v1=([0-9a-f]{64})", header or "")
    if not found:
        return False
    signed = b"bonafide-webhook-v1\n" + found[1].encode() + b"\n" + body
    expected = hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, found[2]) and abs(time.time() * 1000 - int(found[1])) < 60000


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            seen[self.path] = seen.get(self.path, 0) + 1
            number = seen[self.path]
            with open(LOG, "a", encoding="utf-8") as log:
                log.write(json.dumps({"path": self.path, "at_ms": int(time.time() * 1000), "body": body.decode(),
                                      "id": self.headers["Bonafide-Delivery"],
                                      "type": self.headers["Content-Type"], "agent": self.headers["User-Agent"],
                                      "signed": is_signed(self.headers["Bonafide-Signature"], body)}) + "\n")
        if self.path == "/slow":
            time.sleep(2)
        codes = {"/fail": 500, "/gone": 410, "/redirect": 302, "/flaky": 200 if number > 2 else 503}
        self.send_response(codes.get(self.path, 200))
        if self.path == "/redirect":
            self.send_header("Location", "/ok")
        self.end_headers()
        try:
            if self.path == "/big":
                for _ in range(1000):
                    self.wfile.write(bytes(10000))
        except OSError:
            pass

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
os._exit(0)
