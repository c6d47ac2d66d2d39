# SPDX-License-Identifier: GPL-2.0
"""node_exporter and Prometheus, with the files of scripts/agents/prometheus."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse

from agents import host
from lib.ktap import check, equal, note, test, until

RULES = f"{host.FILES}/prometheus"


def exporter(port):
    """Settings of Debian's unit of node_exporter: on @port, with no collector of its own."""
    return ("[Service]\nExecStart=\nExecStart=/usr/bin/prometheus-node-exporter "
            "--collector.disable-defaults --collector.textfile "
            "--collector.textfile.directory=/var/lib/prometheus/node-exporter "
            f"--web.disable-exporter-metrics --web.listen-address=127.0.0.1:{port}\n")


class Prometheus:
    """A Prometheus of Debian's that scrapes every few seconds and evaluates each."""

    def __init__(self, **jobs):
        self.folder = tempfile.mkdtemp()
        self.url = f"http://127.0.0.1:{host.free_port()}"
        # The shipped rules, but for the time they wait.
        with open(f"{RULES}/knetstat.rules.yml", encoding="utf-8") as file:
            rules, count = re.subn(r"(?m)^( +for:).*", r"\1 0s", file.read())
        check(count > 5, "no rule waits")
        with open(f"{self.folder}/knetstat.rules.yml", "w", encoding="utf-8") as file:
            file.write(rules)
        with open(f"{RULES}/scrape.yml", encoding="utf-8") as file:
            config = file.read()
        config = re.sub("scrape_interval: .*", "scrape_interval: 4s", config)
        config = re.sub("scrape_timeout: .*", "scrape_timeout: 4s", config)
        for job, target in jobs.items():
            config += (f"  - job_name: {job}\n    scrape_interval: 4s\n    scrape_timeout: 4s\n"
                       f"    static_configs:\n      - targets: ['{target}']\n")
        config = "global:\n  evaluation_interval: 1s\n" + config
        with open(f"{self.folder}/prometheus.yml", "w", encoding="utf-8") as file:
            file.write(config)
        self.log = open(f"{self.folder}/log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml",
             f"--storage.tsdb.path={self.folder}/data",
             f"--web.listen-address={self.url.removeprefix('http://')}"],
            stdout=self.log, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def get(self, path):
        """The data of an answer of its API; None while there is none."""
        check(self.process.poll() is None, "Prometheus has ended")
        try:
            return json.loads(host.http(self.url + path)[1]).get("data")
        except (OSError, ValueError):
            return None

    def query(self, expression):
        """The labels and values of @expression, now."""
        data = self.get("/api/v1/query?query=" + urllib.parse.quote(expression))
        return [(one["metric"], float(one["value"][1])) for one in data["result"]] if data else []

    def alerts(self, name):
        """The labels of the alerts that fire, of this name."""
        data = self.get("/api/v1/alerts")
        return [alert["labels"] for alert in (data["alerts"] if data else [])
                if alert["labels"]["alertname"] == name and alert["state"] == "firing"]


@test
def rules():
    """promtool finds nothing wrong with the rules, their tests, or the configuration."""
    said = host.run("promtool", "check", "rules", f"{RULES}/knetstat.rules.yml")
    said += host.run("promtool", "test", "rules", f"{RULES}/knetstat.rules.test.yml")
    said += host.run("promtool", "check", "config", "--lint=all", "--lint-fatal",
                     f"{RULES}/scrape.yml")
    note(said)


@test
def metrics():
    """promtool finds nothing wrong with what knetstat-metrics prints, with sockets open."""
    with host.Held("stubborn", full=True):
        host.sessions(3)
        text = host.run("knetstat-metrics", "-f", "prometheus")
    host.run("promtool", "check", "metrics", input=text)
    check("knetstat_session_duration_seconds_bucket" in text, text)


@test
def node_exporter():
    """Debian's node_exporter serves what the textfile service has written."""
    port = host.free_port()
    with host.Held(backlog=7) as held, host.dropin("prometheus-node-exporter.service",
                                                   exporter(port)):
        host.systemctl("start", "knetstat-textfile.service")
        with host.started("prometheus-node-exporter.service"):
            text = host.answers(f"http://127.0.0.1:{port}/metrics")
    equal(host.samples(text, "node_textfile_scrape_error"), [0.0], text)
    equal(host.samples(text, "knetstat_listener_accept_queue_limit", port=str(held.port)),
          [7.0], text)
    check(host.samples(text, "node_textfile_mtime_seconds"), text)
    for line in text.splitlines():
        if f'port="{held.port}"' in line or line.startswith("node_textfile_scrape_error"):
            note(line)


@test
def scrape_and_alert():
    """Prometheus has the right values by both ways, and an alert fires while a listener's
    queue is full, and no longer.
    """
    port = host.free_port()
    done = host.sessions(5)
    with host.dropin("prometheus-node-exporter.service", exporter(port)):
        host.systemctl("start", "knetstat-textfile.service")
        with host.started("knetstat-metrics.socket", "prometheus-node-exporter.service"), \
                Prometheus(node=f"127.0.0.1:{port}") as prometheus:
            for job in ("knetstat", "node"):
                ended = f'knetstat_sessions_total{{job="{job}",port="{done}",end="fin"}}'
                got = until(lambda: prometheus.query(ended), f"{job}: {ended}")
                equal(sorted((labels["role"], value) for labels, value in got),
                      [("acpt", 5.0), ("conn", 5.0)], job)
                note(got)
            quantile = ('histogram_quantile(0.5, sum by (le) (knetstat_session_duration_seconds'
                        f'_bucket{{job="knetstat",port="{done}"}}))')
            got = prometheus.query(quantile)
            check(len(got) == 1 and got[0][1] > 0, quantile, got)
            equal(prometheus.alerts("KnetstatAcceptQueueFull"), [], "alerts before")
            with host.Held("stubborn", full=True) as held:
                fires = until(lambda: prometheus.alerts("KnetstatAcceptQueueFull"), "the alert")
                equal([labels["port"] for labels in fires], [str(held.port)], "its port")
                note(fires)
            until(lambda: not prometheus.alerts("KnetstatAcceptQueueFull"), "its end")
            host.systemctl("stop", "knetstat-metrics.socket")
            fires = until(lambda: prometheus.alerts("KnetstatDown"), "KnetstatDown")
            equal([labels["job"] for labels in fires], ["knetstat"], "whose")
    os.unlink("/var/lib/prometheus/node-exporter/knetstat.prom")
