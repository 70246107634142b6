"""Stands between a client and a PostgreSQL server and cuts the connection at the worst moment."""
import contextlib
import socket
import threading

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Proxy:
    """While `cut_commits` is positive, a COMMIT reaches the server and its answer does not reach the client: the
    connection ends instead, and `cut_commits` goes down by one."""

    def __init__(self, cluster):
        self.target = str(cluster.folder / f".s.PGSQL.{cluster.port}")
        self.cut_commits = 0
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.target)
                for pump in (self._to_server, self._to_client):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    @staticmethod
    def _end(*sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _to_server(self, client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self.cut_commits > 0 and data.endswith(COMMIT):
                    self.cut_commits -= 1
                    # Shut towards the client first: the answer that comes now cannot be passed on.
                    self._end(client)
                    server.sendall(data)
                    server.shutdown(socket.SHUT_WR)
                    self.cuts += 1
                    return
                server.sendall(data)
        self._end(server)

    def _to_client(self, client, server):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        self._end(client, server)
