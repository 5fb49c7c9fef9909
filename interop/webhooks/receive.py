"""Creates a webhook of the namespace acme, publishes a file, and checks what the registry sends."""

import os
import queue
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

PATIENCE_SECONDS = 60

received = queue.Queue()
statuses = [503]  # of the first answers; 204 afterwards


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        received.put(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(statuses.pop() if statuses else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def nola(*arguments):
    return subprocess.run([os.environ["NOLA"], *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


server = HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
secret = nola("webhook", "create", "--quiet", "acme", f"http://127.0.0.1:{server.server_port}/nola")
nola("publish", "--quiet", sys.argv[1], "acme/mood@1.0.0")

first, repeated = (received.get(timeout=PATIENCE_SECONDS) for _ in range(2))
assert first[0]["webhook-id"] == repeated[0]["webhook-id"]
for headers, body in (first, repeated):
    event = Webhook(secret).verify(body, headers)
    assert event["type"] == "version.published", event
    assert event["data"]["adapter"] == "acme/mood", event
    assert event["data"]["version"] == "1.0.0", event
    try:
        Webhook(secret).verify(body.replace("1.0.0", "1.0.1"), headers)
    except WebhookVerificationError:
        continue
    sys.exit("a forged body was accepted")
print("webhooks: 2 requests verified by standardwebhooks, 2 forged ones refused")
