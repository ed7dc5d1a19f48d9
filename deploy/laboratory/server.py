"""One server: nginx in a namespace of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from string import Template

from deploy.laboratory.namespace import LaboratoryError, Namespace, end, sh, wait_until

PORT, DIRECT_PORT = 80, 8000
_START_TIMEOUT = 10.0

_NGINX = Template("""\
daemon off;
user root;
worker_processes 1;
pid $prefix/nginx.pid;
error_log $prefix/error.log warn;
events { worker_connections 16384; }
http {
    access_log off;
    log_format lengths '$$remote_addr:$$remote_port $$request_length $$bytes_sent $$request';
    sendfile on;
    tcp_nopush on;
    types { }
    default_type application/octet-stream;
    keepalive_requests 100000000;
    client_max_body_size 0;
    client_body_temp_path $prefix/body;
    proxy_temp_path $prefix/proxy;
    fastcgi_temp_path $prefix/fastcgi;
    uwsgi_temp_path $prefix/uwsgi;
    scgi_temp_path $prefix/scgi;
    limit_conn_zone $$server_port zone=here:64k;
    add_header X-Server $name always;
    add_header X-Client $$remote_addr always;
    server {
        listen $port backlog=4096;
        listen $direct_port backlog=4096;
        listen [::]:$port backlog=4096;
        root $content;
        location = /healthz { return 200 "ok\\n"; }
        location = /whoami { return 200 "$name\\n"; }
        location /upload/ {
            root $prefix;
            dav_methods PUT;
        }
        location ~ /logged/ {
            access_log $requests lengths;
            try_files /$$file_name =404;
        }
        location ~ /brief/ {
            keepalive_timeout 1s;
            try_files /$$file_name =404;
        }
        location = /login {
            add_header X-Server $name;
            add_header Set-Cookie route=$name;
            return 200;
        }
        location /two-at-a-time/ {
            limit_conn here 2;
            limit_rate 80k;
            try_files /$$file_name =404;
        }
        location / { try_files /$$file_name /1k; }
    }
    map $$uri $$file_name {
        volatile;
        "~/(?<last>[^/]+)$$" $$last;
        default "";
    }
}
""")


class Server:
    """A server at `address`, ports 80 and 8000, and at `address6`, port 80.

    It answers a path that ends in the name of a file of `content.SIZES` with that file, /whoami
    with its name, /healthz with 200 and any other path with the 1 kB file; /login sets the cookie
    `route` to its name, /two-at-a-time/100k takes a second and is refused with 503 to the third who
    asks at a time; one with /logged/ in it gets a line in the file `requests`: client, bytes of the request, bytes of
    the response, request line; after one with /brief/ in it the connection is closed within a second or two;
    PUT /upload/NAME stores the body at `uploads`/NAME. Every answer names the server in the header X-Server,
    and the address that it takes for its client's in X-Client.
    """

    def __init__(
        self, name: str, address: str, address6: str, namespace: Namespace, fabric: Namespace, prefix: Path
    ) -> None:
        self.name = name
        self.address = address
        self.address6 = address6
        self.namespace = namespace
        self.uploads = prefix / "upload"
        self.requests = prefix / "requests.log"
        self._fabric = fabric
        self._prefix = prefix
        self._process: subprocess.Popen[str] | None = None

    @property
    def direct(self) -> str:
        """ADDRESS:PORT for clients that go around the balancer.

        At the port that pools name, a direct connection and a balanced one from the same client
        port would be one and the same to the server.
        """
        return f"{self.address}:{DIRECT_PORT}"

    def prepare(self, content: Path) -> None:
        """Write the configuration; `content` is the directory of the files to serve."""
        self.uploads.mkdir(parents=True)
        configuration = _NGINX.substitute(
            prefix=self._prefix,
            name=self.name,
            port=PORT,
            direct_port=DIRECT_PORT,
            content=content,
            requests=self.requests,
        )
        (self._prefix / "nginx.conf").write_text(configuration)

    def start(self) -> None:
        """Start nginx; returns once it answers."""
        argv = ["nginx", "-p", str(self._prefix), "-e", f"{self._prefix}/error.log", "-c", f"{self._prefix}/nginx.conf"]
        self._process = self.namespace.popen(argv, log=self._prefix / "error.log")
        wait_until(self._answers, _START_TIMEOUT, f"nginx of {self.namespace.name} answers")

    def stop(self) -> None:
        """End nginx: its connections are reset or closed, and new ones are refused."""
        if self._process:
            end(self._process)
            self._process = None

    def freeze(self) -> None:
        """Stop nginx in its tracks: the kernel still accepts connections, and nobody answers them."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let nginx go on."""
        self._signal(signal.SIGCONT)

    def unplug(self) -> None:
        """Pull the server's cable: nothing that is sent to it is answered any more, not even ARP."""
        self._plug("down")

    def plug(self) -> None:
        """Put the cable back."""
        self._plug("up")

    def _answers(self) -> bool:
        if self._process and self._process.poll() is not None:
            log = (self._prefix / "error.log").read_text().strip()
            raise LaboratoryError(f"nginx of {self.namespace.name} ended: {log}")
        return self.namespace.succeeds(["curl", "-sf", "-m", "1", f"http://{self.address}:{PORT}/healthz"])

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            os.killpg(self._process.pid, number)

    def _plug(self, state: str) -> None:
        sh(["ip", "-n", self._fabric.name, "link", "set", self.name, state])
