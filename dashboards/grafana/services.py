"""Panels of agents, of the coordinator, of runs and of measurements: one function for each idea."""

import grafana as g
import panels as p

COLOURS = {"GREEN": g.GREEN, "AMBER": g.YELLOW, "RED": g.RED}
YES = g.mappings((0, "no", g.RED), (1, "yes", g.GREEN))
BACKGROUND = {"type": "color-background", "mode": "basic"}


# Machines and agents.


def machines_connected(scope):
    return g.stat("Machines connected", "Share of the fleet's machines whose agent has a session with the coordinator.", "percentunit",
                  f"avg(muster_machine_connected{{{scope.machine}}})", g.thresholds((None, g.RED), (0.5, g.YELLOW), (1, g.GREEN)), decimals=0)


def machines(scope):
    queries = {
        "connected": f"muster_machine_connected{{{scope.machine}}}",
        "last seen": f"max by (machine, simulated) (time() - muster_machine_last_seen_timestamp_seconds{{{scope.machine}}})",
        "jobs": f"muster_agent_jobs_running{{{scope.machine}}}",
        "worst GPU": f"max by (machine, simulated) (gpu:muster_health:level{{{scope.device}}})",
        "GPUs": f"count by (machine, simulated) (gpu:muster_health:level{{{scope.device}}})",
    }
    labels = "by (machine, simulated)"
    queries = {name: query if labels in query else f"max {labels} ({query})" for name, query in queries.items()}
    overrides = [
        g.override("machine", links=[p.to_machine("${__data.fields.machine}")]),
        g.override("connected", mappings=YES, custom__cellOptions=BACKGROUND),
        g.override("last seen", unit="dtdurations", decimals=0),
        g.override("worst GPU", mappings=p.HEALTH_LEVELS, custom__cellOptions=BACKGROUND),
    ]
    return g.table("Machines", "Each machine of the fleet.", queries, ["machine"], overrides, sort="worst GPU")


def quarantined(scope):
    return g.stat("Quarantined", "Machines and devices in quarantine.", "none",
                  f"(count(muster_machine_quarantined{{{scope.machine}}}) or vector(0))"
                  f" + (count(muster_device_quarantined{{{scope.device}}}) or vector(0))",
                  g.thresholds((None, g.GREY), (1, g.BLUE)), decimals=0)


def agent(scope):
    return g.table("Agent", "Version and session.", {"connected": f"muster_agent_connected{{{scope.machine}}} * on (machine) group_left (version) muster_agent_info"},
                   ["machine", "version"], [g.override("connected", mappings=YES, custom__cellOptions=BACKGROUND)])


def samplers(scope):
    levels = {"absent": 0, "starting": 1, "running": 2, "hung": 3, "broken": 4}
    expr = "\nor ".join(f'{level} * (muster_agent_sampler_state{{state="{state}", {scope.machine}}} == 1)' for state, level in levels.items())
    colors = {"absent": g.GREY, "starting": g.BLUE, "running": g.GREEN, "hung": g.RED, "broken": g.RED}
    return g.timeline("Samplers", "The processes that ask NVML and Level Zero.",
                      [g.target(f"max by (machine, sampler) (\n{expr}\n)", "{{machine}} {{sampler}}")],
                      g.mappings(*((level, state, colors[state]) for state, level in levels.items())))


def sampling_time(scope):
    return g.timeseries("Time of a sampling turn", "How long the last look at all GPUs took. A turn is due every second.", "s",
                        [g.target(f"muster_agent_sample_duration_seconds{{{scope.machine}}}", "{{machine}} {{sampler}}")],
                        steps=g.thresholds((None, "transparent"), (1, g.ORANGE)))


def sampler_counts(scope):
    return g.timeseries("Sampling", "Turns a second; hangs and crashes of the last ten minutes.", "none",
                        [g.target(f"rate(muster_agent_sampler_turns_total{{{scope.machine}}}[$__rate_interval])", "{{machine}} {{sampler}} turns"),
                         g.target(f"increase(muster_agent_sampler_hangs_total{{{scope.machine}}}[10m])", "{{machine}} {{sampler}} hangs"),
                         g.target(f"increase(muster_agent_sampler_crashes_total{{{scope.machine}}}[10m])", "{{machine}} {{sampler}} crashes")])


def agent_memory(scope):
    return g.timeseries("Agent's memory", "Resident.", "bytes",
                        [g.target(f'process_resident_memory_bytes{{job="muster-agent", {scope.machine}}}', "{{machine}}")])


def agent_cpu(scope):
    return g.timeseries("Agent's CPU", "Share of one core.", "percentunit",
                        [g.target(f'rate(process_cpu_seconds_total{{job="muster-agent", {scope.machine}}}[$__rate_interval])', "{{machine}}")])


# Runs. Those in which simulated GPUs took part are series of their own.

PLAN = 'simulated=~"$simulated"'


def plans():
    colours = {name: (i, color) for i, (name, color) in enumerate(COLOURS.items())}
    colour = g.override("colour", custom__cellOptions=BACKGROUND, mappings=[
        {"type": "value", "options": {name: {"color": color, "index": i} for name, (i, color) in colours.items()}}])
    joined = "* on (plan, simulated) group_left (colour) muster_plan_last_run_colour{" + PLAN + "}"
    return g.table("Plans", "The last run of each plan.",
                   {"ended": "(time() - muster_plan_last_run_timestamp_seconds{" + PLAN + "}) " + joined,
                    "duration": "muster_plan_last_run_duration_seconds{" + PLAN + "} " + joined},
                   ["plan", "simulated", "colour"],
                   [colour, g.override("ended", unit="dtdurations", decimals=0), g.override("duration", unit="dtdurations", decimals=0)],
                   sort="ended")


def nightly_age():
    return g.timeseries("Age of the last nightly run", "Since the last run of each nightly plan ended. More than 26 hours alert.", "dtdurations",
                        [g.target('time() - muster_plan_last_run_timestamp_seconds{plan=~"(.+-)?nightly(-.+)?", ' + PLAN + "}", "{{plan}}")],
                        steps=g.thresholds((None, "transparent"), (26 * 3600, g.RED)))


def plan_cases():
    return g.timeseries("Cases of the last run", "By plan and verdict.", "none",
                        [g.target("muster_plan_last_run_cases{" + PLAN + "} > 0", "{{plan}} {{verdict}}")], stacked=True, bars=True)


def plan_duration():
    return g.timeseries("Duration of runs", "Of the last run of each plan.", "dtdurations",
                        [g.target("muster_plan_last_run_duration_seconds{" + PLAN + "}", "{{plan}}")])


def unwell_cases(scope):
    return g.table("Cases that are not well", "Whose last verdict on a device was neither PASSED nor SKIPPED.",
                   {None: f'muster_case_last_verdict{{verdict!~"PASSED|SKIPPED|KNOWN_ISSUE", {scope}}}'},
                   ["machine", "gpu", "model", "suite", "case", "verdict"], p.linked_columns())


def verdicts(scope):
    return g.stat("Cases passed", "Share of all cases whose last verdict was PASSED; skipped ones are left out.", "percentunit",
                  f'(sum(muster_case_last_verdict{{verdict="PASSED", {scope}}}) or vector(0))'
                  f' / sum(muster_case_last_verdict{{verdict!="SKIPPED", {scope}}})',
                  g.thresholds((None, g.RED), (0.9, g.YELLOW), (1, g.GREEN)), decimals=1)


def case_rate():
    return g.timeseries("Case results", "That came in, a minute, by verdict.", "cpm",
                        [g.target("sum by (verdict) (60 * rate(muster_cases_total[$__rate_interval]))", "{{verdict}}")], stacked=True)


def jobs():
    return g.timeseries("Jobs", "Queued, leased, running.", "none", [g.target("muster_jobs", "{{state}}")], stacked=True)


def runs_active():
    return g.stat("Runs", "That go on now.", "none", "muster_runs_active", g.thresholds((None, g.GREY), (1, g.BLUE)), decimals=0)


def queue_time():
    return g.timeseries("Waiting for a lease", "Half and 95 % of the jobs of the last five minutes waited at most so long.", "s",
                        [g.target(f"histogram_quantile({share}, sum by (le) (rate(muster_queue_seconds_bucket[5m])))", f"{share:.0%}")
                         for share in (0.5, 0.95)])


# The coordinator.


def ingest():
    return g.timeseries("Events from agents", "A second: taken, measurements among them, and those that came twice and were dropped.", "cps",
                        [g.target(f"rate({name}[$__rate_interval])", shown)
                         for name, shown in (("muster_events_ingested_total", "events"), ("muster_measurements_ingested_total", "measurements"),
                                             ("muster_events_duplicate_total", "duplicates"))])


def agent_traffic():
    return g.timeseries("Messages of agents", "Bytes a second.", "Bps",
                        [g.target("rate(muster_agent_received_bytes_total[$__rate_interval])", "received")])


def message_rate():
    return g.timeseries("Messages of agents, counted", "A second.", "cps",
                        [g.target("rate(muster_agent_messages_total[$__rate_interval])", "messages")])


def commits():
    return g.timeseries("Commits", "Half and 99 % of the last five minutes' commits took at most so long.", "s",
                        [g.target(f"histogram_quantile({share}, sum by (le) (rate(muster_store_commit_seconds_bucket[5m])))", f"{share:.0%}")
                         for share in (0.5, 0.99)])


def troubles():
    return g.timeseries("Troubles", "Of the last hour: leases that no agent renewed, times that the store failed, series refused.", "none",
                        [g.target(f"increase({name}[1h])", shown)
                         for name, shown in (("muster_leases_lost_total", "leases lost"), ("muster_store_failures_total", "store failures"),
                                             ("muster_series_refused_total", "series refused"))])


# Measurements.

MEASURED = 'suite=~"$suite", case=~"$case", name=~"$measurement"'
UNITS = {"B/s": "Bps", "FLOP/s": "flops", "s": "s"}


def measurement(unit, scope):
    return g.timeseries(f"In {unit}", "The last value on each device.", UNITS[unit],
                        [g.target(f'muster_measurement{{unit="{unit}", {MEASURED}, {scope}}}', "{{machine}}/{{gpu}} {{model}} {{case}} {{name}}")],
                        low=None, links=[p.to_gpu()])


def other_measurements(scope):
    units = "|".join(UNITS)
    return g.timeseries("In other units", "Each in its own unit.", "short",
                        [g.target(f'muster_measurement{{unit!~"{units}", {MEASURED}, {scope}}}',
                                  "{{machine}}/{{gpu}} {{model}} {{case}} {{name}} ({{unit}})")], low=None, links=[p.to_gpu()])


def behind_siblings(scope):
    return g.table("Behind the siblings", "How far each device is behind the median of its model in the same case; below zero: ahead. "
                   "Simulated and real devices are never compared.",
                   {"behind": f"sort_desc(gpu:muster_measurement_slower:ratio{{{MEASURED}, {scope}}})"},
                   ["machine", "gpu", "model", "suite", "case", "name"],
                   [*p.linked_columns(), g.override("behind", unit="percentunit", decimals=1, custom__cellOptions={"type": "color-text"},
                                                    thresholds=g.thresholds((None, g.GREEN), (0.05, g.YELLOW), (0.1, g.RED)))],
                   sort="behind")


def slower_over_time(scope):
    return g.timeseries("Behind the siblings, over time", "Share of the median of the same model.", "percentunit",
                        [g.target(f"gpu:muster_measurement_slower:ratio{{{MEASURED}, {scope}}}", "{{machine}}/{{gpu}} {{model}} {{case}} {{name}}")],
                        low=None, links=[p.to_gpu()], steps=g.thresholds((None, "transparent"), (0.05, g.ORANGE)))


def siblings_median(scope):
    return g.table("Siblings", "Median and normal spread (MAD) of each model in each measurement.",
                   {"devices": f"siblings:muster_measurement:count{{{MEASURED}, {scope}}}",
                    "median": f"siblings:muster_measurement:median{{{MEASURED}, {scope}}}",
                    "spread": f"siblings:muster_measurement_slower:mad{{{MEASURED}, {scope}}}"},
                   ["model", "suite", "case", "name", "unit"], [g.override("spread", unit="percentunit", decimals=1)])
