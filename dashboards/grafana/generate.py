#!/usr/bin/env python3
"""Writes Muster's Grafana dashboards, one JSON file each, beside this file or into the folder that is named.

    dashboards/grafana/generate.py [FOLDER]

grafana.py knows Grafana's JSON, panels.py and services.py have one function for each panel idea, and this file says which
dashboards there are and what is on them. The same input gives the same bytes.
"""

import json
import pathlib
import sys

import grafana as g
import panels as p
import services as s

REAL, SIMULATED, BOTH = "false|", "true", ".*"  # Real devices have no label `simulated`.


def device_variables(one_machine=False, one_gpu=False, gpu=True):
    """vendor → model → machine → gpu, each narrowed by those before it."""
    asked, variables = 'simulated=~"$simulated"', [
        g.custom_variable("simulated", "Devices", {"real": REAL, "simulated": SIMULATED, "real and simulated": BOTH},
                          "Simulated devices are left out unless asked for; their model ends in \"(simulated)\".")
    ]
    names = [("vendor", "Vendor", True), ("model", "Model", True), ("machine", "Machine", not one_machine)]
    for name, label, several in names + ([("gpu", "GPU", not one_gpu)] if gpu else []):
        variables.append(g.query_variable(name, label, f"muster_device_health{{{asked}}}", name, several))
        asked += f', {name}=~"${name}"'
    return variables


def annotations(scope):
    return [
        g.annotation("Xid", f'gpu_code:muster_gpu_events:increase5m{{code=~"nvidia[.]s?xid[.].+", {scope.device}}}', "red",
                     "{{code}}", "GPU {{gpu}} of {{machine}} ({{model}})", "severity"),
        g.annotation("Runs", 'muster_plan_last_run_timestamp_seconds{simulated=~"$simulated"} * 1000', "blue", "run of {{plan}} ended", "", "plan", value_is_time=True),
    ]


def fleet():
    at = p.FLEET
    rows = {
        "Now": [
            (s.machines_connected(at), 4, 4), *((p.devices_in(at, state), 3, 4) for state in p.STATE_COLORS),
            (p.alert_count(at, "critical", g.RED), 3, 4), (p.alert_count(at, "warning", g.ORANGE), 3, 4), (s.quarantined(at), 2, 4),
            (p.firing(at), 12, 9), (p.conditions(at), 12, 9), (p.health_table(at), 24, 12),
        ],
        "Health": [(p.health_timeline(at), 24, 10), (p.events(at), 12, 8), (p.device_events_now(at), 12, 8)],
        "Machines": [(s.machines(at), 24, 8)],
        "Load": [(p.busy(at), 8, 8), (p.power_total(at), 8, 8), (p.hottest(at), 8, 8)],
    }
    return g.dashboard("muster-fleet", "Muster fleet", "All machines and GPUs: who is unwell, and why.", device_variables(), rows,
                       annotations(at))


def machine():
    at = p.MACHINE
    rows = {
        "Health": [(p.health_table(at), 24, 8), (p.health_timeline(at), 12, 8), (p.firing(at), 12, 8), (p.conditions(at), 12, 7),
                   (p.events(at), 12, 7)],
        "GPUs side by side": [(p.temperature(at), 8, 9), (p.power(at), 8, 9), (p.utilization(at), 8, 9), (p.clocks(at), 8, 9),
                              (p.throttling(at), 8, 9), (p.memory(at), 8, 9), (p.fans(at), 8, 9), (p.pcie_link(at), 8, 9),
                              (p.pcie_replays(at), 8, 9), (p.ecc_uncorrected(at), 8, 9), (p.link_traffic(at), 8, 9),
                              (p.link_errors(at), 8, 9)],
        "Agent": [(s.agent(at), 6, 7), (s.samplers(at), 9, 7), (p.sample_age(at), 9, 7), (s.sampling_time(at), 6, 7),
                  (s.sampler_counts(at), 6, 7), (s.agent_cpu(at), 6, 7), (s.agent_memory(at), 6, 7)],
    }
    return g.dashboard("muster-machine", "Muster machine", "One machine: its GPUs side by side, and its agent.",
                       device_variables(one_machine=True), rows, annotations(at))


def gpu():
    at = p.GPU
    rows = {
        "Health": [(p.identity(at), 24, 4), (p.health_timeline(at), 12, 5), (p.flags(at), 12, 5), (p.conditions(at), 8, 7),
                   (p.events(at), 8, 7), (p.firing(at), 8, 7)],
        "Heat, power, clocks": [(p.temperature(at), 8, 9), (p.power(at), 8, 9), (p.clocks(at), 8, 9), (p.throttling(at), 8, 9),
                                (p.throttle_seconds(at), 8, 9), (p.energy(at), 8, 9), (p.fans(at), 8, 8), (p.fan_rpm(at), 8, 8),
                                (p.performance_state(at), 8, 8)],
        "Work": [(p.utilization(at), 8, 9), (p.engine_time(at), 8, 9), (p.memory(at), 8, 9), (p.memory_traffic(at), 8, 8),
                 (p.programs(at), 8, 8), (p.sample_age(at), 8, 8)],
        "Links": [(p.pcie_link(at), 6, 8), (p.pcie_width(at), 6, 8), (p.pcie_traffic(at), 6, 8), (p.pcie_replays(at), 6, 8),
                  (p.links_up(at), 8, 8), (p.link_traffic(at), 8, 8), (p.link_errors(at), 8, 8)],
        "Wear": [(p.ecc(at), 8, 8), (p.ras(at), 8, 8), (p.replaced_memory(at), 8, 8), (p.absent(at), 24, 8)],
    }
    return g.dashboard("muster-gpu", "Muster GPU", "Everything that is known of one GPU.",
                       device_variables(one_machine=True, one_gpu=True), rows, annotations(at))


# Results of runs carry no vendor, and none of machine and model where no device was involved.
RESULTS = 'simulated=~"$simulated", model=~"$model", machine=~"$machine", gpu=~"$gpu"'


def runs():
    rows = {
        "Plans": [(s.runs_active(), 4, 8), (s.verdicts(RESULTS), 4, 8), (s.plans(), 16, 8), (s.nightly_age(), 8, 8), (s.plan_cases(), 8, 8),
                  (s.plan_duration(), 8, 8)],
        "Cases": [(s.unwell_cases(RESULTS), 16, 9), (s.case_rate(), 8, 9)],
        "Coordinator": [(s.jobs(), 8, 8), (s.queue_time(), 8, 8), (s.troubles(), 8, 8), (s.ingest(), 6, 8), (s.message_rate(), 6, 8),
                        (s.agent_traffic(), 6, 8), (s.commits(), 6, 8)],
    }
    return g.dashboard("muster-runs", "Muster runs", "Plans, nightly runs, what is not well, and the coordinator.", device_variables(),
                       rows, annotations(p.FLEET), span="7d")


def benchmarks():
    variables = device_variables()
    asked = 'simulated=~"$simulated", model=~"$model"'
    for name, label, key in (("suite", "Suite", "suite"), ("case", "Case", "case"), ("measurement", "Measurement", "name")):
        variables.append(g.query_variable(name, label, f"muster_measurement{{{asked}}}", key))
        asked += f', {key}=~"${name}"'
    siblings = 'simulated=~"$simulated", model=~"$model"'
    rows = {
        "Beside the siblings": [(s.behind_siblings(RESULTS), 12, 10), (s.slower_over_time(RESULTS), 12, 10), (s.siblings_median(siblings), 24, 8)],
        "Measured": [*((s.measurement(unit, RESULTS), 12, 10) for unit in s.UNITS), (s.other_measurements(RESULTS), 12, 10)],
    }
    return g.dashboard("muster-benchmarks", "Muster benchmarks", "Measurements over time, and against the siblings of each device.", variables,
                       rows, annotations(p.FLEET), span="30d")


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    for made in (fleet(), machine(), gpu(), runs(), benchmarks()):
        text = json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (folder / f"{made['uid']}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
