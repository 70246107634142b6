"""A client that knows when an answer was received whole and when it was lost: the difference is what is tested."""
import base64
import hashlib
import http.client
import json
import socket
import threading

from service import Answer


class Lost(Exception):
    """There was no answer: the connection was refused, broke or ran out of time. Nobody knows what was done."""


class Client:
    """One caller; each thread that uses it has a connection of its own, kept open."""

    def __init__(self, host, port, key=None, timeout=30.0, tls=None):
        self.host, self.port, self.key, self.timeout, self.tls = host, port, key, timeout, tls
        self._own = threading.local()

    def _connection(self):
        connection = getattr(self._own, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
            more = {"context": self.tls} if self.tls else {}
            connection = kind(self.host, self.port, timeout=self.timeout, **more)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._own.connection = connection
        return connection

    def close(self):
        if getattr(self._own, "connection", None) is not None:
            self._own.connection.close()
            self._own.connection = None

    def ask(self, method, target, body=None, key=None, **headers):
        """Header names are written with _ for -. A kept connection may have been closed meanwhile, as always in HTTP;
        only then, before anything was answered on a connection that was open already, is one more try made by GET."""
        sent = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        key = key or self.key
        if key:
            sent["Authorization"] = "Bearer " + key
        if isinstance(body, tuple):
            sent["Content-Type"], body = body
        elif body is not None:
            sent["Content-Type"], body = "application/json", json.dumps(body).encode()
        kept = getattr(self._own, "connection", None) is not None
        try:
            return self._once(method, target, body, sent)
        except Lost:
            if not kept or method != "GET":
                raise
        return self._once(method, target, body, sent)

    def _once(self, method, target, body, sent):
        try:
            connection = self._connection()
            connection.request(method, target, body, sent)
            got = connection.getresponse()
            answer = Answer(got.status, got.headers, got.read())
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            raise Lost(repr(problem)) from problem
        if answer.headers.get("Connection", "").lower() == "close":
            self.close()
        return answer


def _node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def inclusion_root(leaf, index, size, path):
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2), written apart from the program's own; None for a
    proof that cannot be."""
    if not 0 <= index < size:
        return None
    first, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if first & 1 or first == last:
            root = _node(sibling, root)
            while first & 1 == 0 and first:
                first, last = first >> 1, last >> 1
        else:
            root = _node(root, sibling)
        first, last = first >> 1, last >> 1
    return root if last == 0 else None


def proof_problem(told):
    """What is wrong with the answer of GET /v1/decisions/{request_id}; None when it proves the decision. The signature
    of the checkpoint is left to `bonafide audit verify`."""
    proof = told["proof"]
    leaf = json.loads(proof["leaf"])
    leaf_hash = hashlib.sha256(b"\0" + proof["leaf"].encode()).digest()
    if leaf_hash != base64.b64decode(proof["leaf_hash"]):
        return "the leaf's hash is not that of the leaf"
    path = [base64.b64decode(text) for text in proof["hashes"]]
    root = inclusion_root(leaf_hash, proof["index"], proof["tree_size"], path)
    if root != base64.b64decode(proof["root_hash"]):
        return "the path does not lead to the root"
    origin, size, signed_root, *_ = proof["checkpoint"].split("\n")
    if int(size) != proof["tree_size"] or base64.b64decode(signed_root) != root or not origin:
        return "the checkpoint is of another tree"
    if leaf["kind"] != "decision" or leaf["index"] != proof["index"]:
        return "the leaf is no decision, or has another number"
    if told["record_sha256"] not in proof["leaf"] or told["decision"]["decision"] not in proof["leaf"]:
        return "the leaf is about another record"
    return None
