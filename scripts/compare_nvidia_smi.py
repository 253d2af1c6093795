#!/usr/bin/env python3
"""Records nvidia-smi's answers beside Muster's samples, and compares the two field by field. Called by scripts/soak-nvml.

    compare_nvidia_smi.py record OUT PHASE SECONDS PID [AGENT_PID URL]    PID: the muster-telemetry; URL: the agent's /metrics
    compare_nvidia_smi.py compare OUT

What Muster read is samples.jsonl, ten times a second, so that there are samples close around nvidia-smi's answer; each_second.jsonl is the usual
rate, for what it costs. What nvidia-smi shows must lie among the samples of the moments around its answer: exactly for what is fixed or counts, within a stated
tolerance for what moves within a second; what moves is not judged in moments in which the load itself comes or goes, and those are counted. "N/A" must be a field that Muster calls unsupported, and the reverse.
"""
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as ElementTree

# Samples so many milliseconds before and after an answer of nvidia-smi are of the same moment.
WINDOW_MS = 1600
# What follows the load.
MOVING = ("CLOCK", "POWER", "UTILIZATION", "TEMPERATURE", "MEMORY_USED", "MEMORY_FREE", "PERFORMANCE_STATE", "THROTTLED", "PROCESSES")
ABSENT = ("n/a", "[n/a]", "not supported", "[not supported]", "requested functionality has been deprecated")
NOT_PERMITTED = ("insufficient permissions", "[insufficient permissions]")
FAILING = ("unknown error", "[unknown error]", "err!", "[gpu is lost]", "gpu is lost", "unknown")
MIB = 1024 * 1024


def number(text, unit=None):
    match = re.fullmatch(r"(-?[0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%/]*)", text.strip())
    if not match or (unit is not None and match.group(2) not in unit):
        raise ValueError(text)
    return float(match.group(1))


def scaled(factor, *units):
    return lambda text: number(text, units) * factor


def truth(text):
    return {"active": 1.0, "yes": 1.0, "not active": 0.0, "no": 0.0}[text.strip().lower()]


class Rule:
    """One field: where Muster has it, where nvidia-smi has it (the first path that is there), and how near they must be."""

    def __init__(self, field, labels, paths, read, absolute=0.0, relative=0.0, lenient=False, above=None):
        self.field, self.labels, self.read = field, tuple(labels), read
        self.paths = [paths] if isinstance(paths, str) else paths
        self.absolute, self.relative, self.lenient = absolute, relative, lenient
        self.above = above and tuple(above)  # Labels of the same field from which the distance is meant.

    @property
    def name(self):
        return (self.field.lower() + ("{%s}" % ",".join(self.labels) if self.labels else "") +
                (" above {%s}" % ",".join(self.above) if self.above else ""))

    def of(self, sample, missing):
        """What Muster has of it in one sample: a number, or an absence."""
        get = lambda labels: sample[2].get((self.field, labels), sample[2].get((self.field, ()), missing))
        value = get(self.labels)
        if self.above is None or isinstance(value, str):
            return value
        base = get(self.above)
        return base if isinstance(base, str) else value - base


def rules():
    celsius, watts, megahertz = scaled(1, "C"), scaled(1, "W"), scaled(1e6, "MHz")
    percent, mebibytes, plain = scaled(0.01, "%"), scaled(MIB, "MiB"), scaled(1, "")
    width = lambda text: number(text.rstrip("x"), ("",))
    state = lambda text: number(text.lstrip("P"), ("",))
    yield Rule("TEMPERATURE", ["core"], "temperature/gpu_temp", celsius, 1)
    yield Rule("TEMPERATURE", ["memory"], "temperature/memory_temp", celsius, 1)
    for limit, path in (("throttle", "gpu_temp_max_gpu_threshold"), ("slowdown", "gpu_temp_slow_threshold"),
                        ("shutdown", "gpu_temp_max_threshold"), ("memory_throttle", "gpu_temp_max_mem_threshold")):
        yield Rule("TEMPERATURE_LIMIT", [limit], "temperature/" + path, celsius)
    # Newer GPUs show limits as distances alone, and the one from now to the first limit counts from the hottest spot, which is not the core's
    # reading: what can be held against ours is how far the limits lie apart.
    for limit, path in (("slowdown", "gpu_temp_slow_tlimit_threshold"), ("shutdown", "gpu_temp_max_tlimit_threshold")):
        yield Rule("TEMPERATURE_LIMIT", [limit], "temperature/gpu_temp_max_gpu_tlimit_threshold-temperature/" + path, celsius, above=["throttle"])
    power = ["gpu_power_readings/", "power_readings/"]
    yield Rule("POWER", ["card"], [p + "average_power_draw" for p in power] + [p + "power_draw" for p in power], watts, 3, 0.03)
    yield Rule("POWER", ["memory"], "gpu_memory_power_readings/average_power_draw", watts, 3, 0.03)
    for kind, path in (("enforced", "current_power_limit"), ("default", "default_power_limit"), ("minimum", "min_power_limit"),
                       ("maximum", "max_power_limit")):
        yield Rule("POWER_LIMIT", [kind], [p + path for p in power], watts, 0.005)
    for domain, path in (("graphics", "graphics_clock"), ("sm", "sm_clock"), ("memory", "mem_clock"), ("video", "video_clock")):
        yield Rule("CLOCK", [domain], "clocks/" + path, megahertz, 15e6)
        yield Rule("CLOCK_MAX", [domain], "max_clocks/" + path, megahertz)
    reasons = ["clocks_event_reasons/clocks_event_reason_", "clocks_throttle_reasons/clocks_throttle_reason_"]
    for reason, path in (("idle", "gpu_idle"), ("power", "sw_power_cap"), ("hw_slowdown", "hw_slowdown"), ("sync_boost", "sync_boost"),
                         ("thermal", "sw_thermal_slowdown"), ("hw_thermal", "hw_thermal_slowdown"),
                         ("hw_power_brake", "hw_power_brake_slowdown")):
        # A reason that the device cannot have is not active.
        yield Rule("THROTTLED", [reason], [p + path for p in reasons], truth, lenient=True)
    for reason, path in (("power", "sw_power_cap"), ("sync_boost", "sync_boost"), ("thermal", "sw_therm_slowdown"),
                         ("hw_thermal", "hw_therm_slowdown"), ("hw_power_brake", "hw_power_brake")):
        counters = "clocks_event_reasons_counters/clocks_event_reasons_counters_"
        yield Rule("THROTTLE_SECONDS", [reason], [counters + path, counters + path.replace("therm_", "thermal_"),
                                                  counters + path + "_slowdown"], scaled(1e-6, "us"), 0.01)
    for engine, path in (("gpu", "gpu_util"), ("memory", "memory_util"), ("encoder", "encoder_util"), ("decoder", "decoder_util"),
                         ("jpeg", "jpeg_util"), ("ofa", "ofa_util")):
        yield Rule("UTILIZATION", [engine], "utilization/" + path, percent, 0.1)
    # nvidia-smi shows whole MiB.
    yield Rule("MEMORY_SIZE", [], "fb_memory_usage/total", mebibytes, MIB)
    yield Rule("MEMORY_RESERVED", [], "fb_memory_usage/reserved", mebibytes, MIB)
    yield Rule("MEMORY_USED", [], "fb_memory_usage/used", mebibytes, MIB)
    yield Rule("MEMORY_FREE", [], "fb_memory_usage/free", mebibytes, MIB)
    link = "pci/pci_gpu_link_info/"
    yield Rule("PCIE_LINK_GENERATION", [], link + "pcie_gen/current_link_gen", plain)
    yield Rule("PCIE_LINK_GENERATION_MAX", [], link + "pcie_gen/max_link_gen", plain)
    yield Rule("PCIE_LINK_LANES", [], link + "link_widths/current_link_width", width)
    yield Rule("PCIE_LINK_LANES_MAX", [], link + "link_widths/max_link_width", width)
    yield Rule("PCIE_REPLAYS", [], "pci/replay_counter", plain)
    for lifetime in ("volatile", "aggregate"):
        for kind, location, path in (("corrected", "sram", "sram_correctable"), ("corrected", "dram", "dram_correctable"),
                                     ("uncorrected", "dram", "dram_uncorrectable"),
                                     ("uncorrected", "sram", ["sram_uncorrectable", "sram_uncorrectable_parity+sram_uncorrectable_secded"])):
            paths = [path] if isinstance(path, str) else path
            yield Rule("ECC_ERRORS", [kind, location, lifetime],
                       ["+".join("ecc_errors/%s/%s" % (lifetime, p) for p in x.split("+")) for x in paths], plain)
    rows = "remapped_rows/remapped_row_"
    yield Rule("ROW_REMAPS", ["corrected"], rows + "corr", plain)
    yield Rule("ROW_REMAPS", ["uncorrected"], rows + "unc", plain)
    yield Rule("ROW_REMAP_PENDING", [], rows + "pending", truth)
    yield Rule("ROW_REMAP_FAILED", [], rows + "failure", truth)
    yield Rule("RETIRED_PAGES", ["single_bit"], "retired_pages/multiple_single_bit_retirement/retired_count", plain)
    yield Rule("RETIRED_PAGES", ["double_bit"], "retired_pages/double_bit_retirement/retired_count", plain)
    yield Rule("RETIRED_PAGES_PENDING", [], ["retired_pages/pending_retirement", "retired_pages/pending_blacklist"], truth)
    yield Rule("FAN_SPEED_RATIO", ["0"], "fan_speed", percent, 0.02)
    yield Rule("PERFORMANCE_STATE", [], "performance_state", state)
    yield Rule("WEDGED", [], "gpu_recovery_action", lambda text: 1.0 if text.lower() in ("gpu reset", "reset", "node reboot", "reboot") else 0.0)
    yield Rule("PROCESSES", ["compute"], "processes#C", plain)
    yield Rule("PROCESSES", ["graphics"], "processes#G", plain)


def leaf(gpu, path):
    """The text at `path`; "a+b-c" is their sum; "processes#C" counts. None: not in this nvidia-smi's answer."""
    if "#" in path:
        where, kind = path.split("#")
        node = gpu.find(where)
        if node is None:
            return None
        if (node.text or "").strip():
            return node.text.strip()
        return str(sum(kind in (p.findtext("type") or "").replace("M+", "").split("+") for p in node.findall("process_info")))
    parts = re.split("([+-])", "+" + path)[1:]
    texts = [gpu.findtext(part) for part in parts[1::2]]
    if any(text is None for text in texts):
        return None
    if len(texts) == 1:
        return texts[0].strip()
    try:
        total = sum(number(text) * (1 if sign == "+" else -1) for sign, text in zip(parts[::2], texts))
    except ValueError:
        return texts[0].strip() if not re.match(r"-?[0-9]", texts[0]) else texts[-1].strip()
    return ("%d %s" % (total, texts[0].split()[1] if " " in texts[0].strip() else "")).strip()


def record(out, phase, seconds, pid, agent_pid=None, url=None):
    families = {"reader": pid}
    if agent_pid is not None:
        families["agent"] = agent_pid
    table = list(rules())
    paths = sorted({path for rule in table for path in rule.paths})
    begin = time.monotonic()
    with open(os.path.join(out, "nvidia_smi.jsonl"), "a") as answers, open(os.path.join(out, "costs.jsonl"), "a") as costs, \
            open(os.path.join(out, "metrics.jsonl"), "a") as scrapes:
        turn = 0
        while time.monotonic() - begin < seconds:
            if not os.path.exists("/proc/%d" % pid):
                print("muster-telemetry has ended; see run.log and samples.jsonl", file=sys.stderr)
                return 2
            begin_ms = time.time() * 1000
            answer = subprocess.run(["nvidia-smi", "-q", "-x"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
            end_ms = time.time() * 1000
            if answer.returncode == 0:
                for gpu in ElementTree.fromstring(answer.stdout).findall("gpu"):
                    texts = {path: leaf(gpu, path) for path in paths}
                    answers.write(json.dumps({"phase": phase, "begin_ms": begin_ms, "end_ms": end_ms, "pci": normal(gpu.get("id")),
                                              "texts": {k: v for k, v in texts.items() if v is not None}}) + "\n")
            costs.write(json.dumps({"phase": phase, "time_ms": time.time() * 1000, "processes": family_cost(families)}) + "\n")
            if url is not None:
                scrapes.write(json.dumps({"phase": phase, "time_ms": time.time() * 1000, "text": scrape(url)}) + "\n")
            turn += 1
            time.sleep(max(0.0, begin + turn - time.monotonic()))
            turn = max(turn, int(time.monotonic() - begin))
    return 0


def normal(address):
    return address.lower()[-12:]


def scrape(url):
    """The lines of the GPUs' metrics; empty when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return ""
    # Without what is the same in every line.
    return "\n".join(re.sub(r'\b(machine|gpu|uuid|vendor|model|simulated)="[^"]*",?', "", line)
                     for line in text.splitlines() if line.startswith("muster_gpu_"))


def family_cost(families):
    """CPU seconds and memory of each family's process ("agent") and its sampler children ("agent's sampler nvml")."""
    found = []
    roles = {pid: role for role, pid in families.items()}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % entry) as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            role = roles.get(int(entry))
            if role is None and int(fields[1]) in roles:
                with open("/proc/%s/cmdline" % entry) as cmdline:
                    match = re.search(r"--sampler=([a-z]+)", cmdline.read())
                role = match and "%s's sampler %s" % (roles[int(fields[1])], match.group(1))
            if not role:
                continue
            with open("/proc/%s/status" % entry) as status:
                rss = int(re.search(r"VmRSS:\s+([0-9]+)", status.read()).group(1)) * 1024
            try:
                with open("/proc/%s/smaps_rollup" % entry) as smaps:
                    text = smaps.read()
                anonymous = int(re.search(r"Anonymous:\s+([0-9]+)", text).group(1)) * 1024
            except (OSError, AttributeError):
                anonymous = None
            found.append({"pid": int(entry), "role": role, "rss": rss, "anonymous": anonymous,
                          "cpu_s": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")})
        except (OSError, AttributeError, IndexError):
            continue
    return found


def read_samples(path):
    """By PCI address: (time, duration in us, {(field, labels): value, or the absence's name})."""
    samples, statuses, fields = {}, [], []
    with open(path) as lines:
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # The last one, cut off.
            if "status" in entry:
                statuses.append(entry["status"])
                continue
            if "field" in entry:
                fields.append(entry["field"])
                continue
            sample = entry["sample"]
            readings = {}
            for reading in sample.get("readings", []):
                value = float(reading["value"]) if "value" in reading else reading.get("absence", "nothing")
                readings[(reading["field"], tuple(reading.get("labels", [])))] = value
            samples.setdefault(sample["pciAddress"], []).append(
                (int(sample["timeUnixMs"]), int(sample.get("durationUs", 0)), readings))
    return samples, statuses, fields


def read_scrapes(path, fields):
    """The same as read_samples, from the agent's /metrics: a label that has no value there is one that the device does not have."""
    by_metric = {field["metric"]: field for field in fields}
    names = {field["name"].lower(): field["name"] for field in fields}
    samples = {}
    with open(path) as lines:
        for line in lines:
            readings, times = {}, {}
            for metric in json.loads(line)["text"].splitlines():
                match = re.fullmatch(r"([a-z0-9_]+)\{(.*)\} (\S+)(?: [0-9]+)?", metric)
                if not match:
                    continue
                labels = dict(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', match.group(2)))
                pci, value = labels.get("pci"), float(match.group(3))
                if match.group(1) == "muster_gpu_last_sample_timestamp_seconds":
                    times[pci] = int(value * 1000)
                elif match.group(1) == "muster_gpu_reading_absent":
                    readings.setdefault(pci, {})[(names.get(labels["field"]), ())] = "ABSENCE_" + labels["reason"].upper()
                elif match.group(1) in by_metric:
                    field = by_metric[match.group(1)]
                    readings.setdefault(pci, {})[(field["name"], tuple(labels.get(name, "") for name in field["labels"]))] = value
            for pci, time_ms in times.items():
                series = samples.setdefault(pci, [])
                if not series or series[-1][0] != time_ms:
                    series.append((time_ms, 0, readings.get(pci, {})))
    return samples


def judge(rule, text, window, missing):
    """None when they agree, otherwise what differs. `missing`: what a label without a value is."""
    ours = [rule.of(sample, missing) for sample in window]
    values = [v for v in ours if not isinstance(v, str)]
    absences = sorted({v for v in ours if isinstance(v, str)})
    low = text.lower()
    if low in ABSENT:
        return None if not values and absences == ["ABSENCE_UNSUPPORTED"] else "nvidia-smi has none, Muster %s" % (values or absences)
    if low in NOT_PERMITTED:
        return None if "ABSENCE_NOT_PERMITTED" in absences else "nvidia-smi may not read it, Muster %s" % (values or absences)
    if low in FAILING:
        return None if absences else "nvidia-smi fails, Muster %s" % values
    try:
        expected = rule.read(text)
    except (ValueError, KeyError):
        return "cannot make sense of nvidia-smi's %r" % text
    if not values:
        if rule.lenient and expected == 0 and absences == ["ABSENCE_UNSUPPORTED"]:
            return None
        return "nvidia-smi has %s, Muster %s" % (text, absences)
    slack = rule.absolute + rule.relative * abs(expected)
    if min(values) - slack <= expected <= max(values) + slack:
        return None
    return "nvidia-smi has %s (%.10g), Muster %.10g to %.10g" % (text, expected, min(values), max(values))


def falling(samples, fields):
    """Counters that fell."""
    counters = {field["name"] for field in fields if field["metric"].endswith("_total")}
    for pci, series in samples.items():
        falls = {}
        for before, after in zip(series, series[1:]):
            for key, value in after[2].items():
                last = before[2].get(key)
                if key[0] in counters and isinstance(value, float) and isinstance(last, float) and value < last:
                    falls.setdefault(key, []).append((last, value))
        for (field, labels), pairs in sorted(falls.items()):
            yield "%s of %s fell %d times, first from %.10g to %.10g" % (field.lower() + str(list(labels)), pci, len(pairs), *pairs[0])


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


def load_changes(window):
    """Whether programs come or go, or their work does: then the moment of nvidia-smi's answer and ours differ."""
    for key, slack, factor in ((("MEMORY_USED", ()), 32 * MIB, 1), (("PROCESSES", ("compute",)), 0, 1), (("POWER", ("card",)), 20, 1.15),
                               (("UTILIZATION", ("gpu",)), 0.2, 1)):
        values = [v for v in (s[2].get(key) for s in window) if isinstance(v, float)]
        if values and max(values) > min(values) * factor + slack:
            return True
    return False


def stray(rule, window, reference):
    """What in `window`, one sample a second, the samples around it in `reference`, ten a second, do not bear out."""
    for sample in window:
        value = rule.of(sample, "")
        around = [v for v in (rule.of(s, "") for s in reference if abs(s[0] - sample[0]) <= WINDOW_MS) if not isinstance(v, str)]
        if isinstance(value, str) or not around:
            continue
        slack = rule.absolute + rule.relative * abs(value)
        if not min(around) - slack <= value <= max(around) + slack:
            return "/metrics has %.10g, the samples of that moment %.10g to %.10g" % (value, min(around), max(around))
    return None


def hold_against(source, samples, answers, table, missing, reference=None):
    """Each answer of nvidia-smi against the samples around it. With `reference`, sampled more often, what moves within a second is held
    against that."""
    counters = {"ENERGY", "THROTTLE_SECONDS", "ENGINE_ACTIVE_SECONDS"}
    result = {"source": source, "differences": [], "compared": {}, "unmatched": 0, "changing": 0, "not_in_nvidia_smi": set()}
    for answer in answers:
        window = [s for s in samples.get(answer["pci"], [])
                  if answer["begin_ms"] - WINDOW_MS <= s[0] <= answer["end_ms"] + WINDOW_MS]
        if len(window) < 2:
            result["unmatched"] += 1
            continue
        changing = load_changes(window)
        result["changing"] += changing
        for rule in table:
            if changing and rule.field in MOVING:
                continue
            text = next((answer["texts"][path] for path in rule.paths if path in answer["texts"]), None)
            if text is None:
                result["not_in_nvidia_smi"].add(rule.name)
                continue
            entry = result["compared"].setdefault(rule.name, {"comparisons": 0, "differences": 0})
            entry["comparisons"] += 1
            entry["nvidia_smi"] = text
            what = None
            if reference is not None and (rule.field in MOVING or rule.field in counters):
                finer = [s for s in reference.get(answer["pci"], [])
                         if answer["begin_ms"] - 2 * WINDOW_MS <= s[0] <= answer["end_ms"] + 2 * WINDOW_MS]
                what = stray(rule, window, finer) or judge(rule, text, window + finer, missing)
            else:
                what = judge(rule, text, window, missing)
            if what is not None:
                entry["differences"] += 1
                result["differences"].append({"field": rule.name, "phase": answer["phase"], "pci": answer["pci"],
                                              "time_ms": int(answer["begin_ms"]), "what": what})
    result["not_in_nvidia_smi"] = sorted(result["not_in_nvidia_smi"] - set(result["compared"]))
    return result


def read_lines(out, name):
    with open(os.path.join(out, name)) as lines:
        return [json.loads(line) for line in lines]


def compare(out):
    samples, statuses, fields = read_samples(os.path.join(out, "samples.jsonl"))
    each_second, more_statuses, _ = read_samples(os.path.join(out, "each_second.jsonl"))
    statuses += more_statuses
    scraped = read_scrapes(os.path.join(out, "metrics.jsonl"), fields)
    answers, costs = read_lines(out, "nvidia_smi.jsonl"), read_lines(out, "costs.jsonl")
    table = list(rules())
    sources = [hold_against("samples", samples, answers, table, "nothing")]
    if scraped:
        sources.append(hold_against("/metrics of the agent", scraped, answers, table, "ABSENCE_UNSUPPORTED", samples))
    report = {"answers": len(answers), "sources": sources, "statuses": statuses, "energy": energy(samples),
              "cost": cost_of(each_second, answers, costs)}
    report["problems"] = list(problems_of(report, samples, answers)) + list(falling(samples, fields))
    with open(os.path.join(out, "report.json"), "w") as file:
        json.dump(report, file, indent=1)
    show(report, samples)
    return 1 if report["problems"] or any(source["differences"] for source in sources) else 0


def phases_of(answers):
    spans = {}
    for answer in answers:
        span = spans.setdefault(answer["phase"], [answer["begin_ms"], answer["end_ms"]])
        span[1] = answer["end_ms"]
    return spans


def energy(samples):
    """The energy counter against the power readings: two ways to one figure."""
    found = {}
    for pci, series in samples.items():
        points = [(s[0] / 1000, s[2].get(("ENERGY", ("card",))), s[2].get(("POWER", ("card",)))) for s in series]
        points = [p for p in points if not isinstance(p[1], str) and p[1] is not None and not isinstance(p[2], str) and p[2] is not None]
        if len(points) < 10:
            continue
        by_power = sum((b[0] - a[0]) * (a[2] + b[2]) / 2 for a, b in zip(points, points[1:]))
        found[pci] = {"counter_joules": points[-1][1] - points[0][1], "power_joules": by_power}
    return found


def cost_of(samples, answers, costs):
    result = {}
    for phase, (begin_ms, end_ms) in phases_of(answers).items():
        durations, gaps = [], []
        for series in samples.values():
            inside = [s for s in series if begin_ms <= s[0] <= end_ms]
            durations += [s[1] / 1000 for s in inside]
            gaps += [b[0] - a[0] for a, b in zip(inside, inside[1:])]
        entry = {"turns": len(durations), "turn_ms_p50": percentile(durations, 0.5), "turn_ms_p99": percentile(durations, 0.99),
                 "gap_ms_min": min(gaps, default=None), "gap_ms_max": max(gaps, default=None)}
        inside = [c for c in costs if c["phase"] == phase]
        entry["processes"] = {}
        for role in sorted({p["role"] for c in inside for p in c["processes"]}):
            series = [(c["time_ms"], p) for c in inside for p in c["processes"] if p["role"] == role]
            if len(series) > 1 and series[0][1]["pid"] == series[-1][1]["pid"]:
                seconds = (series[-1][0] - series[0][0]) / 1000
                entry["processes"][role] = {"cpu_percent_of_a_core": 100 * (series[-1][1]["cpu_s"] - series[0][1]["cpu_s"]) / seconds,
                               "rss_mib_max": max(s[1]["rss"] for s in series) / MIB,
                               "anonymous_mib_last": (series[-1][1]["anonymous"] or 0) / MIB}
        result[phase] = entry
    return result


def problems_of(report, samples, answers):
    if not answers:
        yield "nvidia-smi gave no answer"
    for source in report["sources"]:
        if len(source["compared"]) < 25:
            yield "%s: only %d fields could be compared: nvidia-smi's XML is not as expected" % (source["source"], len(source["compared"]))
        if source["changing"] > 0.5 * len(answers):
            yield "%s: the load came or went in %d of %d moments: too few are left to judge" % (source["source"], source["changing"], len(answers))
        if source["unmatched"] > 0.05 * len(answers) + 2:
            yield "%s: %d of %d answers of nvidia-smi have no samples around them" % (source["source"], source["unmatched"], len(answers))
    for status in report["statuses"]:
        if status["state"] in ("hung", "broken", "absent"):
            yield "the sampler was %s: %s" % (status["state"], status["detail"])
    for pci, both in report["energy"].items():
        if abs(both["counter_joules"] - both["power_joules"]) > 0.1 * both["power_joules"] + 50:
            yield "energy of %s: %.0f J by its counter, %.0f J by its power" % (pci, both["counter_joules"], both["power_joules"])
    for pci, series in samples.items():
        failing = sorted({"%s%s" % (k[0], list(k[1])) for s in series[1:] for k, v in s[2].items() if v == "ABSENCE_FAILING"})
        if failing:
            yield "failing readings of %s: %s" % (pci, ", ".join(failing))


def show(report, samples):
    for source in report["sources"]:
        compared = source["compared"]
        print("%s: differences: %d of %d comparisons, %d fields, %d answers of nvidia-smi, %d of them while the load came or went" % (
            source["source"], len(source["differences"]), sum(c["comparisons"] for c in compared.values()), len(compared), report["answers"],
            source["changing"]))
        shown = {}
        for difference in source["differences"]:
            shown.setdefault(difference["field"], []).append(difference)
        for field, group in sorted(shown.items()):
            print("  %s: %d times, first (%s): %s" % (field, len(group), group[0]["phase"], group[0]["what"]))
    if len(report["sources"]) == 1:
        print("the agent's /metrics gave nothing of GPUs: only the samples were compared")
    for problem in report["problems"]:
        print("problem: " + problem)
    compared = report["sources"][0]["compared"]
    print("not in this nvidia-smi: %s" % (", ".join(report["sources"][0]["not_in_nvidia_smi"]) or "nothing"))
    for phase, cost in report["cost"].items():
        print("%s: %d samples, p50 %s ms, p99 %s ms, %s to %s ms apart" % (
            phase, cost["turns"], cost["turn_ms_p50"], cost["turn_ms_p99"], cost["gap_ms_min"], cost["gap_ms_max"]))
        for role, process in cost["processes"].items():
            print("  %s: %.3f %% of a core, RSS %.1f MiB, %.1f MiB of it anonymous" % (
                role, process["cpu_percent_of_a_core"], process["rss_mib_max"], process["anonymous_mib_last"]))
    for pci, both in report["energy"].items():
        print("energy of %s: %.0f J by its counter, %.0f J by its power" % (pci, both["counter_joules"], both["power_joules"]))
    for pci, series in samples.items():
        print("\nlast sample of %s:" % pci)
        for (field, labels), value in series[-1][2].items():
            name = field.lower() + ("{%s}" % ",".join(labels) if labels else "")
            known = compared.get(name, {}).get("nvidia_smi", "")
            print("  %-44s %-24s %s" % (name, value if isinstance(value, str) else "%.10g" % value, known))


def main(arguments):
    if len(arguments) in (5, 7) and arguments[0] == "record":
        agent = (int(arguments[5]), arguments[6]) if len(arguments) == 7 else ()
        return record(arguments[1], arguments[2], float(arguments[3]), int(arguments[4]), *agent)
    if len(arguments) == 2 and arguments[0] == "compare":
        return compare(arguments[1])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
