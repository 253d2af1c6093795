#!/usr/bin/env python3
"""Measures with PyTorch what the suite benchmark measures, and compares.

  scripts/compare_pytorch.py [--program FILE | --run FILE] [--output FILE] [--floor 0.98]

FILE of --program is the suite's program: it and PyTorch take turns, five each, and the medians are compared; a GPU at its power limit
changes its clocks with what it did before, so this is the comparison to trust. FILE of --run is what `muster run --json` wrote, or the
OCPTV of the suite. Same sizes and random data as the suite's defaults: untimed repeats first (products: half a second of them), then
timed ones back to back, an event between each two, and the median; the suite verifies each transfer before it makes the next. Prints JSON: for each device PyTorch's figures, the
run's and the ratio of the run's to PyTorch's. Exit status: 0 each ratio reaches the floor (or there is nothing to compare with), 1 one
does not, 3 nothing could be compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

GEMM_SIZE = 8192
BUFFER_BYTES = 4096 << 20
PINNED_BYTES = 256 << 20
REPEATS = 30
WARM_UP_SECONDS = 0.5  # Of products.
ROUNDS = 5
GEMM_TYPES = ("bf16", "fp16", "tf32", "fp32", "fp64", "int8", "fp8")
COMPARED = ("bandwidth.device_copy.driver", "bandwidth.host_to_device.pinned", "bandwidth.device_to_host.pinned") + tuple(f"gemm_{one}" for one in GEMM_TYPES)


def median_seconds(torch, work, warm_up_seconds=0.0, repeats=REPEATS):
    for _ in range(repeats):
        work()
    torch.cuda.synchronize()
    until = time.monotonic() + warm_up_seconds
    while time.monotonic() < until:
        work()
        work()
        torch.cuda.current_stream().synchronize()
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(repeats + 1)]
    marks[0].record()
    for mark in marks[1:]:
        work()
        mark.record()
    torch.cuda.synchronize()
    return statistics.median(a.elapsed_time(b) for a, b in zip(marks, marks[1:])) * 1e-3


def gemm(torch, kind):
    """A function that multiplies two random matrices in this type, into memory that is there before; None where this PyTorch has none.

    Of fp8 and int8 PyTorch makes the result's memory itself.
    """
    torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
    dtypes = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp64": torch.float64}
    a = torch.randn(GEMM_SIZE, GEMM_SIZE, device="cuda", dtype=dtypes.get(kind, torch.float32))
    b = torch.randn_like(a)
    if kind == "int8":
        if not hasattr(torch, "_int_mm"):
            return None
        a, b = ((one * 32).round().clamp(-127, 127).to(torch.int8) for one in (a, b))
        return lambda: torch._int_mm(a, b.t())
    if kind == "fp8":
        if not hasattr(torch, "_scaled_mm"):
            return None
        a, b = (one.to(torch.float8_e4m3fn) for one in (a, b))
        one = torch.ones((), device="cuda")
        return lambda: torch._scaled_mm(a, b.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16)
    c = torch.empty_like(a)
    return lambda: torch.matmul(a, b, out=c)


def gemm_rate(torch, kind):
    multiply = gemm(torch, kind)
    if multiply is None:
        return None
    return 2 * GEMM_SIZE**3 / median_seconds(torch, multiply, WARM_UP_SECONDS)


def copy_rate(torch, to, source, bytes_moved):
    return bytes_moved / median_seconds(torch, lambda: to.copy_(source, non_blocking=True))


def measure_device(torch):
    """PyTorch's figures on the current device."""
    free, _ = torch.cuda.mem_get_info()
    size = min(BUFFER_BYTES, free // 5 * 2)
    source = torch.randint(0, 255, (size,), device="cuda", dtype=torch.uint8)
    figures = {"bandwidth.device_copy.driver": copy_rate(torch, torch.empty_like(source), source, 2 * size)}
    device = source[:PINNED_BYTES].clone()
    del source
    host = torch.empty(PINNED_BYTES, dtype=torch.uint8, pin_memory=True)
    host.random_()
    figures["bandwidth.host_to_device.pinned"] = copy_rate(torch, device, host, PINNED_BYTES)
    figures["bandwidth.device_to_host.pinned"] = copy_rate(torch, host, device, PINNED_BYTES)
    for kind in GEMM_TYPES:
        torch.cuda.empty_cache()
        rate = gemm_rate(torch, kind)
        if rate is not None:
            figures[f"gemm_{kind}"] = rate
    return figures


def measure_all():
    import torch

    devices = []
    for index in range(torch.cuda.device_count()):
        with torch.cuda.device(index):
            properties = torch.cuda.get_device_properties(index)
            devices.append(
                {
                    "uuid": f"GPU-{getattr(properties, 'uuid', '')}",
                    "model": properties.name,
                    "pytorch_version": torch.__version__,
                    "pytorch": measure_device(torch),
                }
            )
            torch.cuda.empty_cache()
    return devices


def take_turns(program):
    """PyTorch's figures and the program's, one after the other, ROUNDS times: the devices, and the program's measurements."""
    rounds, seen = [], []
    for _ in range(ROUNDS):
        rounds.append(measure_all())
        environment = {**os.environ, "MUSTER_OUTPUT": "ocptv", "MUSTER_LEVEL": "2"}
        done = subprocess.run([program], env=environment, stdout=subprocess.PIPE, text=True, check=False)
        hardware = {}
        for document in documents(done.stdout):
            seen.extend(measurements(document, hardware))
    devices = rounds[0]
    for index, device in enumerate(devices):
        each = [one[index]["pytorch"] for one in rounds]
        device["pytorch_rounds"] = each
        device["pytorch"] = {name: statistics.median(one[name] for one in each) for name in each[0]}
    return devices, seen


def documents(text):
    """One JSON document, or one a line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def measurements(node, hardware):
    """(name, number, device) of each measurement in muster's JSON or in OCPTV; `hardware` maps hardwareInfoId to the device."""
    if isinstance(node, list):
        for item in node:
            yield from measurements(item, hardware)
    if not isinstance(node, dict):
        return
    if "hardwareInfoId" in node and "odataId" in node:
        hardware[node["hardwareInfoId"]] = node["odataId"]
    number = node.get("number", node.get("value"))
    if node.get("name") in COMPARED and isinstance(number, (int, float)):
        device = node.get("deviceId", node.get("device_id", hardware.get(node.get("hardwareInfoId"), "")))
        yield node["name"], float(number), device
    for item in node.values():
        yield from measurements(item, hardware)


def compare(devices, seen, floor):
    """Adds the run's figures and the ratios to each device; the names that miss the floor."""
    missed = []
    for device in devices:
        device["run"] = {}
        device["ratio"] = {}
        for name in COMPARED:
            values = [value for one, value, where in seen if one == name and where in ("", device["uuid"])]
            if not values or name not in device["pytorch"]:
                continue
            device["run"][name] = statistics.median(values)
            device.setdefault("run_rounds", {})[name] = values
            device["ratio"][name] = device["run"][name] / device["pytorch"][name]
            if device["ratio"][name] < floor:
                missed.append(f"{name} on {device['uuid']}: {device['ratio'][name]:.3f} of PyTorch's, expected {floor} or more")
    return missed


def main():
    parser = argparse.ArgumentParser(description="PyTorch's figures beside the suite benchmark's.")
    parser.add_argument("--program", help="the suite's program, to take turns with")
    parser.add_argument("--run", help="JSON of a run, or OCPTV lines of the suite")
    parser.add_argument("--output", help="where the JSON goes as well")
    parser.add_argument("--floor", type=float, default=0.98)
    arguments = parser.parse_args()
    seen = []
    try:
        if arguments.program:
            devices, seen = take_turns(arguments.program)
        else:
            devices = measure_all()
    except ImportError:
        print("compare_pytorch: this Python has no PyTorch", file=sys.stderr)
        return 3
    missed = []
    if arguments.run:
        hardware = {}
        with open(arguments.run, encoding="utf-8") as file:
            seen = [found for document in documents(file.read()) for found in measurements(document, hardware)]
    if arguments.run or arguments.program:
        missed = compare(devices, seen, arguments.floor)
        if not any(device["ratio"] for device in devices):
            print(f"compare_pytorch: {arguments.program or arguments.run} gave no measurement of these devices to compare", file=sys.stderr)
            return 3
    text = json.dumps({"floor": arguments.floor, "devices": devices}, indent=2)
    print(text)
    if arguments.output:
        with open(arguments.output, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    for line in missed:
        print(f"compare_pytorch: {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
