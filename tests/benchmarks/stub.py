"""Lambda that answers every call at once, in a process of its own so that its CPU is not counted.

Run as ``python -m tests.benchmarks.stub [<file> [<folder>]]``; prints its URL and serves until its
input ends. It answers with what is in the file, or that another render has started. With a folder
that ``tls.make()`` has filled it speaks TLS as Lambda does, else plain HTTP.
"""

import itertools
import json
import secrets
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.benchmarks import tls

BUCKET = "remotionlambda-useast1-abcdefgh"
RUN = secrets.token_hex(3)
numbers = itertools.count(1)
ANSWER = Path(sys.argv[1]).read_bytes() if sys.argv[1:] and sys.argv[1] else b""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        started = {"type": "success", "renderId": f"{RUN}{next(numbers)}", "bucketName": BUCKET}
        body = ANSWER or json.dumps(started).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def secure(server: ThreadingHTTPServer, folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / tls.SERVER, folder / tls.KEY)
    server.socket = context.wrap_socket(server.socket, server_side=True)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if sys.argv[2:]:
        scheme = "https"
        secure(server, Path(sys.argv[2]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{scheme}://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()
