# SPDX-License-Identifier: GPL-2.0
"""OpenMetrics 1.0.0 and Prometheus' text format 0.0.4: what well-formed text says.

Stricter than those who read it: what the formats allow and knetstat-metrics does not do
is refused as well.
"""

import re

from lib.ktap import check, equal

NAME = r"[a-z][a-z0-9_]*"
LABEL = rf'({NAME})="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL},?)+)\}})? (\d+|\d+\.\d+)")
COMMENT = re.compile(rf"# (HELP|TYPE|UNIT) ({NAME}) (.+)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


def parse(text, openmetrics=True):
    """The samples of @text, as {(name, ((label, value), ...)): number}."""
    check(text.endswith("# EOF\n" if openmetrics else "\n"), "cut:", repr(text[-100:]))
    samples, about, current = {}, {}, None
    for line in text.split("\n")[:-2 if openmetrics else -1]:
        comment = COMMENT.fullmatch(line)
        if comment:
            what, name, value = comment.groups()
            if what == "HELP":
                check(name not in about, "twice:", name)
                current, about[name] = name, {}
            equal(name, current, "the family of", line)
            check(what not in about[name], "twice:", line)
            check(what != "UNIT" or (openmetrics and re.search(f"_{value}$", name)), "the unit of", line)
            about[name][what] = value
            continue
        match = SAMPLE.fullmatch(line)
        check(match and current and "TYPE" in about[current], "malformed:", repr(line))
        kind = about[current]["TYPE"]
        base = current if openmetrics or kind != "counter" else re.sub("_total$", "", current)
        check(any(match[1] == base + suffix for suffix in SUFFIXES[kind]), match[1], "in", current)
        labels = re.findall(LABEL, match[2] or "")
        equal(",".join(f'{name}="{value}"' for name, value in labels), match[2] or "", line)
        labels = tuple((name, re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], value))
                       for name, value in labels)
        equal(len(dict(labels)), len(labels), "labels of", line)
        check((match[1], labels) not in samples, "twice:", line)
        number = float(match[5]) if "." in match[5] else int(match[5])
        samples[match[1], labels] = number
    for name, said in about.items():
        check({"HELP", "TYPE"} <= set(said), "not said of", name, said)
        if said["TYPE"] == "histogram":
            _check_histogram(name, samples)
        check(said["TYPE"] != "counter" or openmetrics or name.endswith("_total"), name)
    return samples


def family(samples, name):
    """Those of @samples that have one name, as {labels' values: number}."""
    return {tuple(value for _, value in labels): number
            for (sample, labels), number in samples.items() if sample == name}


def _check_histogram(name, samples):
    """Buckets in order, cumulative, and with what belongs to them."""
    series = {}
    for (sample, labels), number in samples.items():
        if sample == f"{name}_bucket":
            check(labels[-1][0] == "le", "no le:", labels)
            series.setdefault(labels[:-1], []).append((float(labels[-1][1]), number))
    check(series, "no buckets of", name)
    for labels, buckets in series.items():
        equal(buckets, sorted(buckets), "order of", name, labels)
        numbers = [number for _, number in buckets]
        equal(numbers, sorted(numbers), "buckets of", name, labels)
        equal(buckets[-1], (float("inf"), samples[f"{name}_count", labels]), "count of", name)
        check((f"{name}_sum", labels) in samples, "no sum of", name, labels)
