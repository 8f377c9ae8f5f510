"""The smallest notebook server: what Kubeflow asks of one, and nothing else.

It answers below NB_PREFIX on port 8888, lets every origin read its answers, and keeps its settings at home, which is an
empty volume at the first start.
"""

import os
import pathlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

prefix = os.environ.get("NB_PREFIX", "").rstrip("/")
# What one variant of the image gets wrong, for the tests of the check.
wrong = os.environ.get("WRONG", "")
settings = pathlib.Path.home() / ".notebook" / "settings"


class Notebook(BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path.startswith("/lab" if wrong == "prefix" else prefix + "/")
        self.send_response(200 if found else 404)
        if wrong != "cors":
            self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"a notebook\n" if found else b"not here\n")


def main():
    if wrong == "home":
        # Put there when the image was made: an empty volume hides it.
        print("reading", settings.read_text().strip(), flush=True)
    else:
        settings.parent.mkdir(exist_ok=True)
        settings.write_text("theme = light\n")
    port = 8889 if wrong == "port" else 8888
    print(f"listening on port {port} below {prefix}/", flush=True)
    ThreadingHTTPServer(("0.0.0.0", port), Notebook).serve_forever()


main()
