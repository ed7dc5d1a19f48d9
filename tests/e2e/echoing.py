"""Servers that answer with what they were told of their client: nginx, and HAProxy behind the PROXY protocol."""

from __future__ import annotations

import subprocess
from pathlib import Path
from string import Template
from typing import Self

from deploy.laboratory import Namespace
from deploy.laboratory.namespace import end, wait_until
from tests.certificates import certificate

NGINX, NGINX_PROXIED, HAPROXY_PROXIED, NGINX_TLS_PROXIED = range(8201, 8205)
"""Ports; all but the first speak the PROXY protocol and nothing else."""

_START_TIMEOUT = 10.0

_NGINX_CONFIGURATION = Template("""\
daemon off;
user root;
worker_processes 1;
pid $prefix/nginx.pid;
error_log $prefix/error.log warn;
events { }
http {
    access_log off;
    default_type text/plain;
    client_body_temp_path $prefix/body;
    proxy_temp_path $prefix/proxy;
    fastcgi_temp_path $prefix/fastcgi;
    uwsgi_temp_path $prefix/uwsgi;
    scgi_temp_path $prefix/scgi;
    set_real_ip_from 0.0.0.0/0;
    set_real_ip_from ::/0;
    real_ip_header proxy_protocol;
    server {
        listen $plain;
        listen [::]:$plain;
        listen $proxied proxy_protocol;
        listen [::]:$proxied proxy_protocol;
        listen $tls ssl proxy_protocol;
        listen [::]:$tls ssl proxy_protocol;
        ssl_certificate $certificate;
        ssl_certificate_key $key;
        location = /healthz { return 200; }
        location / {
            return 200 "uri=$$request_uri\\nhost=$$http_host\\nclient=$$remote_addr:$$remote_port\\n\
x-forwarded-for=$$http_x_forwarded_for\\nx-forwarded-proto=$$http_x_forwarded_proto\\n\
x-real-ip=$$http_x_real_ip\\nforwarded=$$http_forwarded\\nx-request-id=$$http_x_request_id\\n\
x-tier=$$http_x_tier\\nx-debug=$$http_x_debug\\n\
vip=$$proxy_protocol_server_addr:$$proxy_protocol_server_port\\n";
        }
    }
}
""")

_HAPROXY_CONFIGURATION = Template("""\
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend proxied
    bind :::$proxied v4v6 accept-proxy
    http-request return status 200 content-type text/plain lf-file $template
""")


class EchoServers:
    """All of them in one namespace, until exit; `directory` is for their files."""

    def __init__(self, namespace: Namespace, directory: Path) -> None:
        self._namespace = namespace
        self._directory = directory
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        nginx, haproxy = self._directory / "echo.nginx.conf", self._directory / "echo.haproxy.cfg"
        identity = certificate(self._directory, "app.example.com")
        nginx.write_text(
            _NGINX_CONFIGURATION.substitute(
                prefix=self._directory,
                plain=NGINX,
                proxied=NGINX_PROXIED,
                tls=NGINX_TLS_PROXIED,
                certificate=identity.path,
                key=identity.key,
            )
        )
        template = self._directory / "echo.haproxy.template"
        template.write_text("client=%[src]:%[src_port]\nvip=%[dst]:%[dst_port]\n")
        haproxy.write_text(_HAPROXY_CONFIGURATION.substitute(proxied=HAPROXY_PROXIED, template=template))
        log = self._directory / "error.log"
        self._processes = [
            self._namespace.popen(["nginx", "-p", str(self._directory), "-e", str(log), "-c", str(nginx)], log=log),
            self._namespace.popen(["haproxy", "-db", "-f", str(haproxy)], log=log),
        ]
        wait_until(self._listening, _START_TIMEOUT, "nginx and haproxy listen")
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            end(process)

    def _listening(self) -> bool:
        ended = [process.args for process in self._processes if process.poll() is not None]
        assert not ended, f"{ended} ended: {(self._directory / 'error.log').read_text()}"
        sockets = self._namespace.run(["ss", "-Hltn"])
        return all(f":{port} " in sockets for port in range(NGINX, NGINX_TLS_PROXIED + 1))
