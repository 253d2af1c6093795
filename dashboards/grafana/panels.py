"""Panels of GPUs and machines: one function for each idea, used by every dashboard that shows it.

A Scope says which devices a dashboard is about, and what to call one of them in a legend.
"""

import dataclasses

import grafana as g

HEALTH_LEVELS = g.mappings((0, "HEALTHY", g.GREEN), (1, "DEGRADED", g.YELLOW), (2, "UNKNOWN", g.BLUE), (3, "FAILED", g.RED))
YES_IS_BAD = g.mappings((0, "no", g.GREEN), (1, "yes", g.RED))
STATE_COLORS = {"HEALTHY": g.GREEN, "DEGRADED": g.YELLOW, "UNKNOWN": g.BLUE, "FAILED": g.RED}
# Chosen machine or GPU, time and devices go with every link.
KEEP = "${simulated:queryparam}&${datasource:queryparam}&${__url_time_range}"


@dataclasses.dataclass(frozen=True)
class Scope:
    name: str  # What a legend calls a device; "" where there is only one.
    device: str = 'simulated=~"$simulated", vendor=~"$vendor", model=~"$model", machine=~"$machine", gpu=~"$gpu"'
    machine: str = 'simulated=~"$simulated", machine=~"$machine"'

    def legend(self, more=""):
        return " ".join(part for part in (self.name, more) if part)

    @property
    def one(self):
        return not self.name


FLEET = Scope("{{machine}}/{{gpu}} {{model}}")
MACHINE = Scope("GPU {{gpu}} {{model}}")
GPU = Scope("")


def to_gpu(machine="${__field.labels.machine}", gpu="${__field.labels.gpu}"):
    return g.link("This GPU", f"/d/muster-gpu/muster-gpu?var-machine={machine}&var-gpu={gpu}&{KEEP}")


def to_machine(machine="${__field.labels.machine}"):
    return g.link("This machine", f"/d/muster-machine/muster-machine?var-machine={machine}&{KEEP}")


def linked_columns():
    """In tables: machine and gpu lead to their dashboards."""
    row = ("${__data.fields.machine}", "${__data.fields.gpu}")
    return [g.override("machine", links=[to_machine(row[0])]), g.override("gpu", links=[to_gpu(*row)])]


# Health.


def devices_in(scope, state):
    color = STATE_COLORS[state]
    steps = g.thresholds((None, g.GREEN)) if state == "HEALTHY" else g.thresholds((None, g.GREY), (1, color))
    return g.stat(state, f"GPUs whose health is {state} now.", "none",
                  f'sum(gpu_state:muster_health:max{{state="{state}", {scope.device}}}) or vector(0)', steps, decimals=0)


def firing(scope):
    return g.table(
        "Alerts", "What fires now. What to do about each: docs/operations.md, Runbook.",
        {None: f'ALERTS{{alertname=~"Muster.+", alertstate="firing", {scope.device}}}'},
        ["severity", "alertname", "machine", "gpu", "model", "code", "plan"],
        [*linked_columns(), g.override("severity", custom__cellOptions={"type": "color-background", "mode": "basic"}, mappings=[
            {"type": "value", "options": {"critical": {"color": g.RED, "index": 0}, "warning": {"color": g.ORANGE, "index": 1},
                                          "info": {"color": g.BLUE, "index": 2}}}])],
        sort="severity")


def alert_count(scope, severity, color):
    return g.stat(f"{severity} alerts", f"Alerts of severity {severity} that fire now.", "none",
                  f'count(ALERTS{{alertname=~"Muster.+", alertstate="firing", severity="{severity}", {scope.device}}}) or vector(0)',
                  g.thresholds((None, g.GREEN), (1, color)), decimals=0)


def health_timeline(scope):
    return g.timeline("Health", "Health of each GPU over time, as its agent says, or the coordinator where the agent cannot be scraped.",
                      [g.target(f"gpu:muster_health:level{{{scope.device}}}", scope.legend() or "health")], HEALTH_LEVELS,
                      [] if scope.one else [to_gpu()])


def health_table(scope):
    queries = {
        "health": f"gpu:muster_health:level{{{scope.device}}}",
        "temperature": f"gpu:muster_gpu_temperature_celsius:max{{{scope.device}}}",
        "power": f"gpu:muster_gpu_power:watts{{{scope.device}}}",
        "busy": f"gpu:muster_gpu_busy:ratio{{{scope.device}}}",
        "memory": f"gpu:muster_gpu_memory_used:ratio{{{scope.device}}}",
        "PCIe link": f"gpu:muster_gpu_pcie_link:ratio{{{scope.device}}}",
    }
    background = {"type": "color-background", "mode": "basic"}
    bar = {"type": "gauge", "mode": "basic"}
    overrides = [
        *linked_columns(),
        g.override("health", mappings=HEALTH_LEVELS, custom__cellOptions=background),
        g.override("temperature", unit="celsius", decimals=0),
        g.override("power", unit="watt", decimals=0),
        *(g.override(name, unit="percentunit", min=0, max=1, custom__cellOptions=bar) for name in ("busy", "memory")),
        g.override("PCIe link", unit="percentunit", decimals=0),
    ]
    return g.table("GPUs", "Each GPU now; worst health first. Memory and PCIe link as a share of what there is; a link rests while idle.",
                   queries, ["machine", "gpu", "model", "vendor", "pci"], overrides, sort="health")


def conditions(scope):
    state = g.override("state", custom__cellOptions={"type": "color-background", "mode": "basic"}, mappings=[
        {"type": "value", "options": {name: {"color": color, "index": i} for i, (name, color) in enumerate(STATE_COLORS.items())}}])
    return g.table("Conditions", "Why devices are not healthy: one line for each cause that stands. `muster machine` says what clears it.",
                   {None: f"gpu_code:muster_health_condition:max{{{scope.device}}}"}, ["machine", "gpu", "model", "code", "state"],
                   [*linked_columns(), state])


def events(scope):
    return g.timeseries("Events", "Events of the last five minutes, by code: kernel log lines and values that crossed a line.", "none",
                        [g.target(f"sum by (code, severity) (gpu_code:muster_gpu_events:increase5m{{{scope.device}}})",
                                  "{{severity}} {{code}}")], stacked=True, bars=True)


def device_events_now(scope):
    return g.table("Events of the last five minutes", "By device and code.",
                   {"count": f"gpu_code:muster_gpu_events:increase5m{{{scope.device}}}"},
                   ["machine", "gpu", "model", "severity", "code"], [*linked_columns(), g.override("count", decimals=0)], sort="count")


# What a GPU does.


def temperature(scope):
    targets = [g.target(f"muster_gpu_temperature_celsius{{{scope.device}}}", scope.legend("{{location}}"))]
    if scope.one:
        targets.append(g.target(f"muster_gpu_temperature_limit_celsius{{{scope.device}}}", "limit: {{limit}}"))
    return g.timeseries("Temperature", "By place; dashed: where the GPU slows down or shuts off.", "celsius", targets, low=None,
                        overrides=[g.dashed("limit.*")], links=[] if scope.one else [to_gpu()])


def power(scope):
    targets = [g.target(f"muster_gpu_power_watts{{{scope.device}}}", scope.legend("{{domain}}"))]
    if scope.one:
        targets.append(g.target(f'muster_gpu_power_limit_watts{{{scope.device}, kind="enforced"}}', "limit"))
    return g.timeseries("Power", "What the GPU draws; dashed: the limit that it keeps to.", "watt", targets, overrides=[g.dashed("limit.*")])


def power_total(scope):
    return g.timeseries("Power by model", "What the GPUs draw together.", "watt",
                        [g.target(f"sum by (model) (gpu:muster_gpu_power:watts{{{scope.device}}})", "{{model}}")], stacked=True)


def hottest(scope):
    return g.timeseries("Hottest GPUs", "The ten hottest now, by their hottest place.", "celsius",
                        [g.target(f"topk(10, gpu:muster_gpu_temperature_celsius:max{{{scope.device}}})", scope.legend())], low=None,
                        links=[to_gpu()])


def utilization(scope):
    return g.timeseries("Utilization", "Share of the sampling period for which each engine was busy.", "percentunit",
                        [g.target(f"muster_gpu_utilization_ratio{{{scope.device}}}", scope.legend("{{engine}}"))], high=1)


def busy(scope):
    return g.timeseries("Busy GPUs", "Mean utilization of the busiest engine, by model.", "percentunit",
                        [g.target(f"avg by (model) (gpu:muster_gpu_busy:ratio{{{scope.device}}})", "{{model}}")], high=1)


def clocks(scope):
    targets = [g.target(f"muster_gpu_clock_hertz{{{scope.device}}}", scope.legend("{{domain}}"))]
    if scope.one:
        targets.append(g.target(f"muster_gpu_clock_max_hertz{{{scope.device}}}", "limit: {{domain}}"))
    return g.timeseries("Clocks", "By domain; dashed: the highest.", "hertz", targets, overrides=[g.dashed("limit.*")])


def throttling(scope):
    return g.timeseries("Throttled", "Share of the time for which the clocks were held down, by reason. At its power limit a busy GPU is.",
                        "percentunit",
                        [g.target(f'avg_over_time(muster_gpu_throttled{{{scope.device}, reason!="idle"}}[$__rate_interval])',
                                  scope.legend("{{reason}}"))], high=1)


def throttle_seconds(scope):
    return g.timeseries("Throttled, by the device's own clock", "Seconds held down per second, where the device counts them.", "percentunit",
                        [g.target(f"rate(muster_gpu_throttle_seconds_total{{{scope.device}}}[$__rate_interval])",
                                  scope.legend("{{reason}}"))], high=1)


def memory(scope):
    targets = [g.target(f"muster_gpu_memory_used_bytes{{{scope.device}}}", scope.legend("used"))]
    if scope.one:
        targets += [g.target(f"muster_gpu_memory_reserved_bytes{{{scope.device}}}", "reserved"),
                    g.target(f"muster_gpu_memory_free_bytes{{{scope.device}}}", "free"),
                    g.target(f"muster_gpu_memory_size_bytes{{{scope.device}}}", "limit: size")]
    return g.timeseries("Memory", "Device memory that programs use.", "bytes", targets, overrides=[g.dashed("limit.*")])


def memory_traffic(scope):
    return g.timeseries(
        "Memory traffic", "Read from and written to device memory, where the device counts it; dashed: the most that it can.", "Bps",
        [g.target(f"rate(muster_gpu_memory_read_bytes_total{{{scope.device}}}[$__rate_interval])", scope.legend("read")),
         g.target(f"rate(muster_gpu_memory_written_bytes_total{{{scope.device}}}[$__rate_interval])", scope.legend("written")),
         g.target(f"muster_gpu_memory_bandwidth_max_bytes_per_second{{{scope.device}}}", scope.legend("limit"))],
        overrides=[g.dashed(".*limit.*")])


def engine_time(scope):
    return g.timeseries("Engines, by the device's own clock", "Seconds busy per second, where the device counts them.", "percentunit",
                        [g.target(f"rate(muster_gpu_engine_active_seconds_total{{{scope.device}}}[$__rate_interval])",
                                  scope.legend("{{engine}}"))])


def energy(scope):
    return g.timeseries("Power from the energy counter", "Joule per second: what the power meter may miss between two samples.", "watt",
                        [g.target(f"rate(muster_gpu_energy_joules_total{{{scope.device}}}[$__rate_interval])",
                                  scope.legend("{{domain}}"))])


def fans(scope):
    return g.timeseries("Fans", "Speed as a share of the maximum; some go above it.", "percentunit",
                        [g.target(f"muster_gpu_fan_speed_ratio{{{scope.device}}}", scope.legend("fan {{fan}}"))])


def fan_rpm(scope):
    return g.timeseries("Fans, measured", "Revolutions per minute, where the device measures them.", "rotrpm",
                        [g.target(f"muster_gpu_fan_speed_rpm{{{scope.device}}}", scope.legend("fan {{fan}}"))])


def programs(scope):
    return g.timeseries("Programs", "That use the GPU.", "none",
                        [g.target(f"muster_gpu_processes{{{scope.device}}}", scope.legend("{{kind}}"))])


def performance_state(scope):
    return g.timeseries("P-state", "NVIDIA's; 0 is the fastest.", "none",
                        [g.target(f"muster_gpu_performance_state{{{scope.device}}}", scope.legend("P"))], high=15)


# Links.


def pcie_link(scope):
    return g.timeseries("PCIe link", "Speed as a share of what GPU and slot can. It may fall while the GPU is idle.", "percentunit",
                        [g.target(f"gpu:muster_gpu_pcie_link:ratio{{{scope.device}}}", scope.legend("link"))], high=1)


def pcie_width(scope):
    pairs = {"generation": "pcie_link_generation", "lanes": "pcie_link_lanes"}
    targets = [g.target(f"muster_gpu_{name}{{{scope.device}}}", scope.legend(shown)) for shown, name in pairs.items()]
    targets += [g.target(f"muster_gpu_{name}_max{{{scope.device}}}", scope.legend(f"limit: {shown}")) for shown, name in pairs.items()]
    return g.timeseries("PCIe generation and lanes", "Dashed: what GPU and slot can.", "none", targets, overrides=[g.dashed(".*limit.*")])


def pcie_traffic(scope):
    return g.timeseries(
        "PCIe traffic", "Seen from the GPU: its own meter, or its byte counters where it has those.", "Bps",
        [g.target(f"muster_gpu_pcie_throughput_bytes_per_second{{{scope.device}}}", scope.legend("{{direction}}")),
         g.target(f"rate(muster_gpu_pcie_bytes_total{{{scope.device}}}[$__rate_interval])", scope.legend("{{direction}}, counted"))])


def pcie_replays(scope):
    return g.timeseries("PCIe replays", "Packets sent again, a minute. More than eight alert.", "cpm",
                        [g.target(f"60 * rate(muster_gpu_pcie_replays_total{{{scope.device}}}[$__rate_interval])", scope.legend("replays"))],
                        steps=g.thresholds((None, "transparent"), (8, g.ORANGE)))


def links_up(scope):
    return g.timeline("NVLink and Xe Link", "Whether each link is up. One that never was has nobody at its other end.",
                      [g.target(f"muster_gpu_link_up{{{scope.device}}}", scope.legend("link {{link}}"))],
                      g.mappings((0, "down", g.GREY), (1, "up", g.GREEN)))


def link_traffic(scope):
    return g.timeseries("Traffic between GPUs", "Over all NVLinks or Xe Links of the GPU.", "Bps",
                        [g.target(f"sum by (machine, gpu, model, direction) (rate(muster_gpu_link_bytes_total{{{scope.device}}}[$__rate_interval]))",
                                  scope.legend("{{direction}}"))])


def link_errors(scope):
    return g.timeseries("Link errors", "A minute, by link and kind.", "cpm",
                        [g.target(f"60 * rate(muster_gpu_link_errors_total{{{scope.device}}}[$__rate_interval])",
                                  scope.legend("link {{link}} {{kind}}"))])


# Wear.


def ecc(scope):
    return g.timeseries("ECC errors", "Counters: since the driver started (volatile) and of all time (aggregate).", "none",
                        [g.target(f"muster_gpu_ecc_errors_total{{{scope.device}}}", scope.legend("{{kind}} {{location}} {{lifetime}}"))])


def ecc_uncorrected(scope):
    return g.timeseries("Uncorrectable memory errors", "In the last ten minutes. Any alert.", "none",
                        [g.target("max by (machine, gpu, model) (increase("
                                  f'muster_gpu_ecc_errors_total{{{scope.device}, kind="uncorrected", lifetime="volatile"}}[10m]))',
                                  scope.legend("uncorrectable"))],
                        steps=g.thresholds((None, "transparent"), (1, g.RED)))


def ras(scope):
    return g.timeseries("RAS errors", "The device's own counters of errors and resets.", "none",
                        [g.target(f"muster_gpu_ras_errors_total{{{scope.device}}}", scope.legend("{{kind}} {{category}}"))])


def replaced_memory(scope):
    return g.timeseries(
        "Replaced memory", "Rows remapped and pages retired, of all time.", "none",
        [g.target(f"muster_gpu_row_remaps_total{{{scope.device}}}", scope.legend("rows, {{kind}}")),
         g.target(f"muster_gpu_retired_pages_total{{{scope.device}}}", scope.legend("pages, {{cause}}"))])


def flags(scope):
    """What a GPU says yes or no to; yes is bad."""
    named = {"row remap pending": "row_remap_pending", "row remap failed": "row_remap_failed",
             "page retirement pending": "retired_pages_pending", "wedged": "wedged"}
    return g.timeline("Wants a reset, or worse", "Row remaps and page retirements that wait for a reset, remaps that failed, wedged devices.",
                      [g.target(f"muster_gpu_{name}{{{scope.device}}}", scope.legend(shown)) for shown, name in named.items()], YES_IS_BAD)


def absent(scope):
    return g.table("Readings without a value", "unsupported: the device does not have it. not_permitted: the agent's user may not read it. "
                   "failing: it should be there.", {None: f"muster_gpu_reading_absent{{{scope.device}}}"},
                   ["machine", "gpu", "field", "reason"],
                   [g.override("reason", custom__cellOptions={"type": "color-text"}, mappings=[
                       {"type": "value", "options": {"failing": {"color": g.RED, "index": 0}, "not_permitted": {"color": g.ORANGE, "index": 1},
                                                     "unsupported": {"color": g.GREY, "index": 2}}}])], sort="reason")


def identity(scope):
    return g.table("Device", "What it is and which software serves it.", {None: f"muster_gpu_info{{{scope.device}}}"},
                   ["machine", "gpu", "vendor", "model", "pci", "uuid", "serial", "driver_version", "vbios_version", "firmware_version"],
                   linked_columns())


def sample_age(scope):
    return g.timeseries("Age of the newest sample", "The agent samples once a second; more than fifteen seconds alert.", "s",
                        [g.target(f"time() - muster_gpu_last_sample_timestamp_seconds{{{scope.device}}}", scope.legend("age"))],
                        steps=g.thresholds((None, "transparent"), (15, g.RED)))
