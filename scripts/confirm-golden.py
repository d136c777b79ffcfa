#!/usr/bin/env python3
"""Confirms the fixtures in golden/ with PyTorch in float64: the second witness that each file's `source` names.

  python3 scripts/confirm-golden.py            recomputes every case, prints how near PyTorch comes, layer by layer
  python3 scripts/confirm-golden.py --write    writes the traces that only PyTorch works out: models/lenet5, models/tanhAvgCurve

Needs PyTorch and NumPy (Debian: python3-torch). Not part of `npm test`: the files are, with the sums of their bytes.
Gradients come from torch.autograd, nothing from this repository's TypeScript.
"""
import gzip
import hashlib
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
GOLDEN = Path(__file__).resolve().parent.parent / "golden"
WITNESS = f"PyTorch {torch.__version__} in float64"

# ── Tensors ──────────────────────────────────────────────────────────────────


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    body = data[8 + size :]
    kinds = {"F64": "<f8", "F32": "<f4"}
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], kinds[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def write_safetensors(path, arrays):
    header, body = {}, b""
    for name, array in arrays.items():
        start = len(body)
        body += np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        kind = {"float64": "F64", "float32": "F32"}[array.dtype.name]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, len(body)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def tensor(value, folder=GOLDEN):
    """A tensor as JSON has it: its numbers, or where they stand."""
    if "file" in value:
        return torch.tensor(read_safetensors(folder / value["file"])[value["name"]], dtype=torch.float64)
    return torch.tensor([float(v) for v in value["data"]]).reshape(value["shape"])


# ── Layers ───────────────────────────────────────────────────────────────────


def border(padding):
    return [padding[side] for side in ("left", "right", "top", "bottom")]


def symmetric(padding):
    return padding["top"] == padding["bottom"] and padding["left"] == padding["right"]


def conv2d(x, w, b, stride, padding, dilation, groups=1):
    return F.conv2d(F.pad(x, border(padding)), w, b, stride, 0, dilation, groups)


def max_pool2d(x, kernel, stride, padding, dilation, ceilMode):
    if symmetric(padding):
        return F.max_pool2d(x, kernel, stride, [padding["top"], padding["left"]], dilation, ceilMode)
    y = F.max_pool2d(F.pad(x, border(padding), value=-math.inf), kernel, stride, 0, dilation, ceilMode)
    return started(y, x, stride, padding)


def avg_pool2d(x, kernel, stride, padding, ceilMode, countIncludePad):
    if symmetric(padding):
        return F.avg_pool2d(x, kernel, stride, [padding["top"], padding["left"]], ceilMode, countIncludePad)
    mean = lambda t: started(F.avg_pool2d(F.pad(t, border(padding)), kernel, stride, 0, ceilMode), x, stride, padding)
    return mean(x) if countIncludePad else mean(x) / mean(torch.ones_like(x))


def started(y, x, stride, padding):
    """The places of a pool on padded pixels that PyTorch would keep, had it such padding: those that start before its end."""
    places = lambda size, before, s: math.ceil((before + size) / s)
    rows = places(x.shape[2], padding["top"], stride[0])
    columns = places(x.shape[3], padding["left"], stride[1])
    return y[:, :, :rows, :columns]


def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels.long() if labels.dim() == 1 else labels)


LAYERS = {
    "conv2d": conv2d,
    "groupedConv2d": conv2d,
    "maxPool2d": max_pool2d,
    "avgPool2d": avg_pool2d,
    "globalAvgPool2d": lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
    "batchNorm": lambda x, gamma, beta, eps: F.batch_norm(x, None, None, gamma, beta, True, 0, eps),
    "batchNormInference": lambda x, gamma, beta, mean, variance, eps: F.batch_norm(
        x, mean, variance, gamma, beta, False, 0, eps
    ),
    "dropout": lambda x, mask, p: x * mask / (1 - p) if p < 1 else x * mask * 0,
    "relu": F.relu,
    "leakyRelu": lambda x, negativeSlope: F.leaky_relu(x, negativeSlope),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "flatten": lambda x: x.flatten(1),
    "linear": F.linear,
    "softmax": lambda x: F.softmax(x, 1),
    "logSoftmax": lambda x: F.log_softmax(x, 1),
    "softmaxCrossEntropy": cross_entropy,
    "meanSquaredError": F.mse_loss,
}


def network(steps, x, named, flow=None):
    """The steps one after the other; `flow` collects what each of them gives."""
    y = x
    for step in steps:
        if "layer" in step:
            y = LAYERS[step["layer"]](y, *[named[k] for k in step["arguments"]], **step["options"])
        else:
            y = network(step["body"], y, named) + network(step["shortcut"], y, named)
        if flow is not None:
            y.retain_grad()
            flow.append(y)
    return y


# ── Confirming ───────────────────────────────────────────────────────────────


def distance(actual, expected):
    """How far apart, as a share of the largest number expected; None where NaN or infinities differ."""
    actual, expected = actual.detach().reshape(-1), expected.reshape(-1)
    finite = torch.isfinite(expected)
    same = torch.equal(torch.isnan(actual), torch.isnan(expected)) and torch.equal(
        actual[torch.isinf(expected)], expected[torch.isinf(expected)]
    )
    if not same or not torch.isfinite(actual[finite]).all():
        return None
    scale = expected[finite].abs().max().item() if finite.any() else 0
    apart = (actual[finite] - expected[finite]).abs().max().item() if finite.any() else 0
    return apart / scale if scale else apart


def confirm(file, path):
    """[(id, what, distance)] of every output of a fixture file. Calls that are errors have none: frameworks forgive much."""
    results = []
    for case in file["cases"]:
        if "error" in case:
            continue
        report = lambda what, actual, expected: results.append(
            (case["id"], what, distance(actual, tensor(expected, path.parent)))
        )
        options = case.get("resolved", case.get("options"))
        if "optimizer" in case:
            confirm_steps(case, options, report)
        elif "running" in case:
            confirm_running(case, options, report)
        elif "losses" in case:
            losses, accuracy = curve(case)
            report("losses", torch.tensor(losses), case["losses"])
            report("testAccuracy", torch.tensor([accuracy]), {"shape": [1], "data": [case["testAccuracy"]]})
        else:
            inputs = {k: tensor(v, path.parent).requires_grad_() for k, v in case["inputs"].items()}
            constants = {k: tensor(v, path.parent) for k, v in case.get("constants", {}).items()}
            if "layer" in file:
                y = LAYERS[file["layer"]](*inputs.values(), *constants.values(), **options)
            else:
                y = network(file["network"], inputs["x"], {**inputs, **constants})
            report("y", y, case["y"])
            y.backward(tensor(case["dy"]))
            for k, x in inputs.items():
                report(f"d{k}", torch.zeros_like(x) if x.grad is None else x.grad, case["gradients"][f"d{k}"])
    return results


def confirm_steps(case, options, report):
    parameters = {k: tensor(v).requires_grad_() for k, v in case["parameters"].items()}
    words = {"rate": "lr", "weightDecay": "weight_decay"}
    kinds = {"sgd": "SGD", "adam": "Adam", "adamW": "AdamW", "rmsProp": "RMSprop"}
    given = {words.get(k, k): v for k, v in options.items()}
    optimizer = getattr(torch.optim, kinds[case["optimizer"]])(parameters.values(), **given)
    after = {k: [] for k in parameters}
    gradients = {k: tensor(v) for k, v in case["gradients"].items()}
    for step in range(len(next(iter(gradients.values())))):
        for k, x in parameters.items():
            x.grad = gradients[k][step].clone()
        optimizer.step()
        for k, x in parameters.items():
            after[k].append(x.detach().clone())
    for k, values in after.items():
        report(f"{k} after every step", torch.stack(values), case["after"][k])


def confirm_running(case, options, report):
    mean, variance = (tensor(case["running"][k]) for k in ("mean", "variance"))
    means, variances = [], []
    for x in tensor(case["x"]):
        count = x.numel() // x.shape[1]
        batch = (torch.zeros_like(mean), torch.zeros_like(variance))
        F.batch_norm(x, *batch, None, None, True, 1)  # a momentum of 1 leaves the statistics of the batch, unbiased
        correction = 1 if options["unbiased"] else (count - 1) / count
        mean = options["decay"] * mean + (1 - options["decay"]) * batch[0]
        variance = options["decay"] * variance + (1 - options["decay"]) * correction * batch[1]
        means.append(mean)
        variances.append(variance)
    report("mean", torch.stack(means), case["after"]["mean"])
    report("variance", torch.stack(variances), case["after"]["variance"])


# ── Traces that are written here ─────────────────────────────────────────────


class Random:
    """src/random.ts once more: xoroshiro128+ of Blackman and Vigna (24, 16, 37), its streams 2^64 numbers apart."""

    MASK = (1 << 64) - 1
    JUMP = [0xDF900294D8F554A5, 0x170865DF4B3201FC]

    def __init__(self, seed, stream=0):
        self.s0 = ((0xFFFFFFFF << 32) | (~seed & 0xFFFFFFFF)) & self.MASK
        self.s1 = (seed & 0xFFFFFFFF) << 32
        for _ in range(stream):
            self.jump()

    def next(self):
        out = (self.s0 + self.s1) & 0xFFFFFFFF
        both = self.s0 ^ self.s1
        rotated = ((self.s0 << 24) | (self.s0 >> 40)) & self.MASK
        self.s0 = (rotated ^ both ^ (both << 16)) & self.MASK
        self.s1 = ((both << 37) | (both >> 27)) & self.MASK
        return out

    def jump(self):
        s0 = s1 = 0
        for word in self.JUMP:
            for bit in range(64):
                if word >> bit & 1:
                    s0, s1 = s0 ^ self.s0, s1 ^ self.s1
                self.next()
        self.s0, self.s1 = s0, s1

    def uniform(self):
        return (self.next() & 0x3FFFFFF) * 2.0**-26 + (self.next() & 0x7FFFFFF) * 2.0**-53

    def below(self, count):
        most = (1 << 32) // count * count if count > 2 else 1 << 32
        while True:
            value = (self.next() + 0x80000000) & 0xFFFFFFFF
            if value < most:
                return value % count

    def shuffled(self, count):
        order = list(range(count))
        for i in range(count - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]
        return order


def digits(kind):
    """The digits of golden/mnist: pixels from 0 to 1, and labels."""
    read = lambda name: gzip.decompress((GOLDEN / "mnist" / name).read_bytes())
    images = np.frombuffer(read(f"{kind}-images-idx3-ubyte.gz"), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    labels = np.frombuffer(read(f"{kind}-labels-idx1-ubyte.gz"), np.uint8, offset=8)
    return torch.tensor(images / 255.0), torch.tensor(labels.astype(np.int64))


def fan_in_uniform(shapes, random):
    """{name: tensor}: every weight and its bias from U(±1/√fan-in of the weight), in order."""
    parameters, bound = {}, 0
    for name, shape in shapes.items():
        if len(shape) > 1:
            bound = 1 / math.sqrt(np.prod(shape[1:]))
        values = [bound * (2 * random.uniform() - 1) for _ in range(int(np.prod(shape)))]
        parameters[name] = torch.tensor(values).reshape(shape).requires_grad_()
    return parameters


TANH_AVG = {
    "conv1.weight": [6, 1, 3, 3],
    "conv1.bias": [6],
    "fc1.weight": [32, 3456],
    "fc1.bias": [32],
    "fc2.weight": [10, 32],
    "fc2.bias": [10],
}


def curve(case):
    """The mean loss of every epoch, and the test accuracy at the end, of the second notebook's network."""
    parameters = fan_in_uniform(TANH_AVG, Random(case["seed"]))

    def run(x):
        w = list(parameters.values())
        x = F.avg_pool2d(torch.tanh(F.conv2d(x, w[0], w[1])), 3, 1).flatten(1)
        return F.linear(torch.tanh(F.linear(x, w[2], w[3])), w[4], w[5])

    images, labels = (t[: case["images"]] for t in digits("train"))
    losses = []
    for epoch in range(1, case["epochs"] + 1):
        order = Random(case["seed"], epoch).shuffled(case["images"])
        total = 0
        for start in range(0, len(order), case["batch"]):
            at = order[start : start + case["batch"]]
            loss = F.cross_entropy(run(images[at]), labels[at])
            loss.backward()
            total += loss.item() * len(at)
            with torch.no_grad():
                for p in parameters.values():
                    p -= case["rate"] * p.grad
                    p.grad = None
        losses.append(total / case["images"])
    images, labels = digits("t10k")
    accuracy = (run(images).argmax(1) == labels).double().mean().item()
    return losses, accuracy


def json_tensor(t):
    return {"shape": list(t.shape), "data": t.reshape(-1).tolist()}


def write_curve():
    case = {
        "id": "tanhAvg/curve",
        "title": "200 digits, 10 epochs of SGD at rate 0.01 in batches of 32, seed 0: the mean loss of every epoch",
        "tier": "trace",
        "model": "tanhAvg",
        "images": 200,
        "epochs": 10,
        "batch": 32,
        "rate": 0.01,
        "seed": 0,
    }
    losses, accuracy = curve(case)
    case["losses"] = json_tensor(torch.tensor(losses))
    case["testAccuracy"] = accuracy
    case["compare"] = {
        "mode": "relative",
        "rtol": 1e-10,
        "atol": 0,
        "reason": "70 steps through sums of up to 3,456 terms in another order",
    }
    return {
        "format": "cnn-spec/1",
        "source": f'The network of "CNN with tanh and average pooling", repaired, on the digits of mnist/, by {WITNESS}: '
        "scripts/confirm-golden.py --write.",
        "cases": [case],
    }


LENET5 = {
    "conv1.weight": [6, 1, 5, 5],
    "conv1.bias": [6],
    "conv2.weight": [16, 6, 5, 5],
    "conv2.bias": [16],
    "fc1.weight": [120, 400],
    "fc1.bias": [120],
    "fc2.weight": [84, 120],
    "fc2.bias": [84],
    "fc3.weight": [10, 84],
    "fc3.bias": [10],
}


def lenet5_steps():
    window = lambda p: {"top": p, "bottom": p, "left": p, "right": p}
    conv = lambda name, p: {
        "layer": "conv2d",
        "arguments": [f"{name}.weight", f"{name}.bias"],
        "options": {"stride": [1, 1], "padding": window(p), "dilation": [1, 1]},
    }
    relu = {"layer": "relu", "arguments": [], "options": {}}
    pool = {
        "layer": "maxPool2d",
        "arguments": [],
        "options": {"kernel": [2, 2], "stride": [2, 2], "padding": window(0), "dilation": [1, 1], "ceilMode": False},
    }
    linear = lambda name: {"layer": "linear", "arguments": [f"{name}.weight", f"{name}.bias"], "options": {}}
    flatten = {"layer": "flatten", "arguments": [], "options": {}}
    loss = {"layer": "softmaxCrossEntropy", "arguments": ["labels"], "options": {}}
    return [
        *[conv("conv1", 2), relu, pool, conv("conv2", 0), relu, pool, flatten],
        *[linear("fc1"), relu, linear("fc2"), relu, linear("fc3"), loss],
    ]


def write_lenet5():
    """One step on two real digits, layer by layer. The weights are float32 numbers, so that any port can start from them."""
    images, labels = digits("train")
    x = ((images[:2] - 0.1307) / 0.3081).float().double().requires_grad_()
    parameters = {
        k: p.detach().float().double().requires_grad_() for k, p in fan_in_uniform(LENET5, Random(5)).items()
    }
    steps, flow = lenet5_steps(), []
    y = network(steps, x, {**parameters, "labels": labels[:2].double()}, flow)
    y.backward()
    arrays = {k: v.detach().numpy().astype(np.float32) for k, v in {"x": x, **parameters}.items()}
    arrays |= {f"d{k}": v.grad.numpy() for k, v in {"x": x, **parameters}.items()}
    arrays |= {f"y{i}": t.detach().numpy() for i, t in enumerate(flow[:-1])}
    arrays |= {f"dy{i}": t.grad.numpy() for i, t in enumerate(flow[:-1])}
    file = "lenet5.safetensors"
    write_safetensors(GOLDEN / "models" / file, arrays)
    here = lambda name: {"shape": list(arrays[name].shape), "file": file, "name": name}
    case = {
        "id": "lenet5/step",
        "title": "two digits through LeNet-5: every y, the loss, every gradient, layer by layer",
        "tier": "trace",
        "inputs": {k: here(k) for k in ["x", *parameters]},
        "constants": {"labels": json_tensor(labels[:2].double())},
        "options": {},
        "dy": {"shape": [], "data": [1]},
        "y": json_tensor(y.detach()),
        "gradients": {f"d{k}": here(f"d{k}") for k in ["x", *parameters]},
        "flow": [here(f"y{i}") for i in range(len(flow) - 1)],
        "dflow": [here(f"dy{i}") for i in range(len(flow) - 1)],
        "compare": {
            "mode": "relative",
            "rtol": 1e-11,
            "atol": 1e-13,
            "reason": "twelve layers, sums of up to 784 terms in another order",
        },
        "worked": f"by {WITNESS}",
    }
    return {
        "format": "cnn-spec/1",
        "network": steps,
        "source": f'LeNet-5 as "CNN basics" draws it, on the first two digits of mnist/, normalised with 0.1307 and 0.3081, '
        f"its weights U(±1/√fan-in) rounded to float32. Expected values by {WITNESS}: scripts/confirm-golden.py --write.",
        "files": {file: hashlib.sha256((GOLDEN / "models" / file).read_bytes()).hexdigest()},
        "cases": [case],
    }


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit(__doc__)
    if sys.argv[1:] == ["--write"]:
        for name, make in {"lenet5": write_lenet5, "tanhAvgCurve": write_curve}.items():
            path = GOLDEN / "models" / f"{name}.json"
            path.write_text(json.dumps(make(), ensure_ascii=False))
            print(f"golden/models/{name}.json: written; `npm run golden` gives it its form")
        return
    print(WITNESS)
    for path in sorted(GOLDEN.rglob("*.json")):
        if path.name == "schema.json":
            continue
        file = json.loads(path.read_text())
        results = confirm(file, path)
        apart = [f"{id}: {what}" for id, what, d in results if d is None or d > 1e-12]
        worst = max((d for *_, d in results if d is not None and d <= 1e-12), default=0)
        count = len({id for id, *_ in results})
        print(f"{path.relative_to(GOLDEN)!s:38} {count:3} cases, within {worst:.1e} of the largest number", end="")
        errors = sum("error" in case for case in file["cases"])
        print(f", {errors} errors not judged" if errors else "", end="")
        print("" if not apart else f", {len(apart)} apart:" + "".join(f"\n    {line}" for line in apart))


main()
