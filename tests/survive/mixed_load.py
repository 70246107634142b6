"""Mixed load with a ledger: what the server acknowledged must be found again, whatever happened to it meanwhile."""
import collections
import hashlib
import itertools
import random
import threading
import time

from http_client import Lost, proof_problem
from service import form

# A file that is no picture is decided without a network: many decisions in a short time.
NO_PICTURE = b"this is no picture"
PAUSE_S = 0.02  # after an answer that did not come

OVER = {"SESSION_EXPIRED", "SESSION_FINISHED"}

Request = collections.namedtuple("Request", "target body name token session attempt")


def judgement(picture, name):
    return Request("/v1/liveness", form([("image", picture)]), name, None, None, None)


def attempt(session, picture, name):
    return Request(f"/v1/sessions/{session.id}/attempts", form([("image", picture)]), name, session.token, session.id,
                   session.plan["attempt"])


def unlike(photo, chance):
    """The same photo as another JPEG file: with a comment."""
    comment = chance.randbytes(8).hex().encode()
    return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]


def accepted(answer):
    return answer.status in (200, 201) or answer.status == 422 and "decision" in answer.json


class Session:
    def __init__(self, told):
        self.id, self.token, self.plan = told["session"]["id"], told["client_token"], told["plan"]
        self.attempts = 0   # acknowledged
        self.over = False
        self.sent = None    # an attempt whose answer was lost


class Ledger:
    """All that was acknowledged, and what was sent without an answer. With `keep` only the newest of each, for load
    that goes on for hours."""

    def __init__(self, keep=None):
        self.lock = threading.Lock()
        self.keep = keep
        # (request, answer), decisions and sessions
        self.answered = collections.deque(maxlen=keep) if keep else []
        self.lost = []
        self.sessions = {}
        self.counts = collections.Counter()
        self.strange = []   # answers that nobody expects

    def add_session(self, session):
        with self.lock:
            self.sessions[session.id] = session
            if self.keep and len(self.sessions) > self.keep:
                del self.sessions[next(iter(self.sessions))]

    def decisions(self):
        return [pair for pair in self.answered if pair[0].target != "/v1/sessions"]


class Load:
    """Threads that send. `photos` are bytes; `expected` holds the codes of errors that the case at hand brings."""

    def __init__(self, client, photos, seed, expected=(), judged_share=0.3, keep=None):
        self.client, self.photos, self.expected, self.judged_share = client, photos, set(expected), judged_share
        self.ledger = Ledger(keep)
        self.number, self.seed = itertools.count(), seed
        self.stopping = threading.Event()
        self.threads = []
        self.patient = True  # go on after an answer was lost
        self.hang_up = 0.0   # share of requests after which the connection is closed

    def start(self, count, patient=True):
        self.stopping.clear()
        self.patient = patient
        self.threads = [threading.Thread(target=self._run, args=(f"{self.seed}:{next(self.number)}",), daemon=True)
                        for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(self.client.timeout + 5)
        hanging = [thread for thread in self.threads if thread.is_alive()]
        self.threads = []
        if hanging:
            raise AssertionError(f"{len(hanging)} clients hang")

    def _run(self, seed):
        chance = random.Random(seed)
        try:
            while not self.stopping.is_set():
                try:
                    self.step(chance)
                    if chance.random() < self.hang_up:
                        self.client.close()
                except Lost:
                    self.ledger.counts["lost"] += 1
                    if not self.patient:
                        break
                    time.sleep(PAUSE_S)
        finally:
            self.client.close()

    def step(self, chance):
        """One request of some kind."""
        what = chance.random()
        if what < 0.5:
            self.liveness(chance)
        elif what < 0.65:
            self.create()
        elif what < 0.9:
            self.attempt(chance)
        else:
            self.look(chance)

    def picture(self, chance):
        """A file that nobody sent before: one that was being judged when a worker was killed is soon quarantined."""
        if chance.random() < self.judged_share:
            return unlike(chance.choice(self.photos), chance)
        return NO_PICTURE + chance.randbytes(8)

    def name(self, kind):
        return f"{kind}-{self.seed}-{next(self.number)}"

    def send(self, request):
        """Sends and writes into the ledger."""
        try:
            answer = self.repeat(request)
        except Lost:
            with self.ledger.lock:
                self.ledger.lost.append(request)
            raise
        with self.ledger.lock:
            if accepted(answer):
                self.ledger.answered.append((request, answer))
                self.ledger.counts["answered"] += 1
            else:
                self.ledger.counts[answer.code] += 1
                if answer.code not in self.expected:
                    self.ledger.strange.append((request.target, request.name, answer))
        return answer

    def repeat(self, request):
        return self.client.ask("POST", request.target, request.body, key=request.token, X_Request_ID=request.name,
                               Idempotency_Key=request.name)

    def liveness(self, chance):
        self.send(judgement(self.picture(chance), self.name("live")))

    def create(self):
        name = self.name("open")
        body = {"flow_type": "account_opening", "channel": "mobile_web", "subject": name}
        answer = self.send(Request("/v1/sessions", body, name, None, None, None))
        if accepted(answer):
            self.ledger.add_session(Session(answer.json))

    def pick(self, chance):
        """Takes a session that is not over out of the others' reach; None when there is none."""
        with self.ledger.lock:
            open_ones = [one for one in self.ledger.sessions.values() if not one.over and one.token and not one.sent]
            session = chance.choice(open_ones) if open_ones else None
            if session:
                session.sent = attempt(session, self.picture(chance), self.name("try"))
        return session

    def attempt(self, chance):
        session = self.pick(chance)
        if session:
            self.finish(session)

    def finish(self, session):
        """Sends the session's attempt, for the first time or again."""
        answer = self.send(session.sent)
        if accepted(answer):
            session.attempts += 1
            session.token, session.plan = answer.json["client_token"], answer.json["plan"]
            session.over = answer.json["answer"] == "done" or not session.token
        session.over |= answer.code in OVER
        session.sent = None
        return answer

    def look(self, chance):
        with self.ledger.lock:
            known = list(self.ledger.sessions)
        if known:
            answer = self.client.ask("GET", "/v1/sessions/" + chance.choice(known))
            if answer.status != 200 and answer.code not in self.expected:
                self.ledger.strange.append(("GET session", None, answer))


def decision_problem(client, request, answer):
    """What is wrong with what the server now says about a decision that it acknowledged; None when nothing is."""
    # A person's device does not choose the name of its decision.
    name = f"{request.session}.{request.attempt}" if request.session else request.name
    got = client.ask("GET", "/v1/decisions/" + name)
    if got.status != 200:
        return f"{request.name}: acknowledged, and now {got!r}"
    told = got.json
    problem = proof_problem(told)
    if request.session is None:
        if told["record"] != answer.json:
            problem = problem or "the record is another one"
        if hashlib.sha256(answer.body.strip()).hexdigest() != told["record_sha256"]:
            problem = problem or "the record's hash is not that of what was answered"
    elif told["decision"]["session_id"] != request.session:
        problem = problem or "it belongs to another session"
    return f"{request.name}: {problem}" if problem else None


def session_problem(client, session):
    got = client.ask("GET", "/v1/sessions/" + session.id)
    if got.status != 200:
        return f"session {session.id}: acknowledged, and now {got!r}"
    numbers = [made["attempt"] for made in got.json["attempts"]]
    if numbers != list(range(1, len(numbers) + 1)) or len(numbers) < session.attempts:
        return f"session {session.id}: {session.attempts} attempts were acknowledged, and there are {numbers}"
    return None


def repeat_problem(load, request, answer):
    """What is wrong with the answer to a repeated request; None when it is the first answer again."""
    again = load.repeat(request)
    if request.session and again.code == "SESSION_EXPIRED":
        return None  # the token that asks is itself over by now
    if (again.status, again.body) != (answer.status, answer.body):
        return f"{request.name}: repeated with its key: first {answer!r}, now {again!r}"
    return None
