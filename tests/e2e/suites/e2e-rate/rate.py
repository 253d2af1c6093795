#!/usr/bin/env python3
"""One rate, one time and one temperature, in OCPTV."""

import json
import os

devices = json.loads(os.environ["MUSTER_DEVICES"])
slow = any(device["pciAddress"] == json.loads(os.environ["MUSTER_PARAMETERS"])["slow"] for device in devices)
sequence = 0
# A suite is told of the simulated GPUs that the agent sees.
assert os.environ["MUSTER_SIM_MACHINE"] == json.loads(os.environ["MUSTER_MACHINE"])["name"]


def say(**artifact):
    global sequence
    print(json.dumps({**artifact, "sequenceNumber": sequence, "timestamp": "2026-01-01T00:00:00Z"}), flush=True)
    sequence += 1


def step(**artifact):
    say(testStepArtifact={"testStepId": "0", **artifact})


say(schemaVersion={"major": 2, "minor": 0})
say(testRunArtifact={"testRunStart": {"name": "e2e-rate", "version": "1", "commandLine": "rate.py", "parameters": {},
                                      "dutInfo": {"dutInfoId": "0", "name": "dut", "hardwareInfos": [
                                          {"hardwareInfoId": str(i), "name": "GPU", "odataId": device["id"]} for i, device in enumerate(devices)]}}})
for case in os.environ["MUSTER_CASES"].split(","):
    step(testStepStart={"name": case})
    for name, value, unit in (("rate", 0.8e12 if slow else 1e12, "B/s"), ("flops", 5e13, "FLOP/s"), ("latency", 1e-5, "s"), ("heat", 40, "Cel")):
        step(measurement={"name": name, "value": value, "unit": unit, "hardwareInfoId": "0"})
    if case == "fail":
        step(diagnosis={"verdict": "wrong", "type": "FAIL", "message": "as it was asked to"})
    step(testStepEnd={"status": "COMPLETE"})
say(testRunArtifact={"testRunEnd": {"status": "COMPLETE", "result": "PASS"}})
