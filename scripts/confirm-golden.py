#!/usr/bin/env python3
"""Confirms the fixtures in golden/ with PyTorch in float64: the second witness that each file's `source` names.

  python3 scripts/confirm-golden.py            recomputes every case, prints how near PyTorch comes, layer by layer
  python3 scripts/confirm-golden.py --write    writes what only Python works out: models/lenet5, models/tanhAvgCurve, functions, training

Needs PyTorch, NumPy and Pillow (Debian: python3-torch, python3-pil). Not part of `npm test`: the files are, with the sums of their bytes.
Gradients come from torch.autograd, nothing from this repository's TypeScript.
"""
import base64
import csv
import gzip
import hashlib
import io
import json
import math
import struct
import sys
from collections import OrderedDict
from pathlib import Path

if "--help" in sys.argv[1:] or "-h" in sys.argv[1:]:
    print(__doc__)
    sys.exit()
try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from PIL import Image, ImageOps
except ImportError as error:
    print(f"confirm-golden: {error.name} is not installed, expected PyTorch, NumPy and Pillow", file=sys.stderr)
    sys.exit(2)

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


# ── Functions ────────────────────────────────────────────────────────────────
# What random numbers, first weights, bytes of files and pictures become. struct, csv, NumPy, Pillow and PyTorch say so.


def normal(random):
    """Box and Muller: the first number decides how far, the second in which direction."""
    return math.sqrt(-2 * math.log(1 - random.uniform())) * math.cos(2 * math.pi * random.uniform())


def as_bytes(values):
    return {"bytes": bytes(values).hex()}


def packed(data):
    return {"gzip": base64.b64encode(gzip.compress(bytes(data), mtime=0)).decode()}


def labelled(shape, pixels, labels, write=as_bytes):
    """A set of pictures, as the readers of data/ give it."""
    return {"shape": shape, "pixels": write(np.asarray(pixels, np.uint8).reshape(-1)), "labels": as_bytes(labels)}


def function_case(id, title, arguments, result=None, function=None, tier="trace", compare="exact", error=None):
    known = {"result": result, "compare": compare} if error is None else {"error": error}
    return {
        **{"id": id, "title": title, "tier": tier if error is None else "invalid"},
        **{"function": function or id.split("/")[0], "arguments": arguments, **known},
    }


FEW_ROUNDINGS = {"mode": "ulp", "k": 8}


def random_cases():
    for seed, stream in [(0, 0), (7, 0), (7, 2)]:
        random = Random(seed, stream)
        draws = {"uniform": [random.uniform() for _ in range(4)], "normal": [normal(random) for _ in range(4)]}
        yield function_case(
            f"random/seed-{seed}-stream-{stream}",
            f"seed {seed}, stream {stream}: four numbers in [0, 1), then four normal ones, then two orders of eight",
            [seed, stream, {"uniform": 4, "normal": 4, "shuffled": [8, 8]}],
            {k: json_tensor(torch.tensor(v)) for k, v in draws.items()} | {"shuffled": [random.shuffled(8) for _ in "12"]},
            compare=FEW_ROUNDINGS,
        )


def mask_cases():
    first = Random(3).uniform()
    for id, title, shape, p in [
        ("quarter", "a quarter of the numbers is left out: those whose random number is below p", [3, 2, 2, 2], 0.25),
        ("most", "p = 0.9", [2, 9], 0.9),
        ("edge", "a random number that is p itself keeps", [2, 3], first),
    ]:
        random = Random(3)
        mask = [0 if random.uniform() < p else 1 for _ in range(int(np.prod(shape)))]
        expected = {"shape": shape, "data": mask}
        yield function_case(f"dropoutMask/{id}", title, [shape, p, {"seed": 3, "stream": 0}], expected)


def initialize_cases():
    model = {
        "name": "m",
        "input": [2, 3, 4],
        "nodes": [
            {"name": "conv1", "layer": "conv2d", "parameters": {"w": [3, 2, 2, 3], "b": [3]}},
            {"name": "bn1", "layer": "batchNorm", "parameters": {"gamma": [3], "beta": [3]}},
            {"name": "grouped", "layer": "groupedConv2d", "parameters": {"w": [3, 1, 2, 1], "b": [3]}, "options": {"groups": 3}},
            {"name": "flatten", "layer": "flatten"},
            {"name": "fc1", "layer": "linear", "parameters": {"w": [2, 6], "b": [2]}},
        ],
    }
    draw = {
        "heNormal": lambda i, o, r: math.sqrt(2 / i) * normal(r),
        "heUniform": lambda i, o, r: math.sqrt(6 / i) * (2 * r.uniform() - 1),
        "glorotNormal": lambda i, o, r: math.sqrt(2 / (i + o)) * normal(r),
        "glorotUniform": lambda i, o, r: math.sqrt(6 / (i + o)) * (2 * r.uniform() - 1),
        "fanInUniform": lambda i, o, r: 1 / math.sqrt(i) * (2 * r.uniform() - 1),
    }

    def drawn(scheme, seed):
        random, parameters = Random(seed), {}
        for node in model["nodes"]:
            if "parameters" not in node:
                continue
            if node["layer"] == "batchNorm":
                parameters |= {"bn1.weight": {"shape": [3], "data": [1] * 3}, "bn1.bias": {"shape": [3], "data": [0] * 3}}
                continue
            shape, bias = node["parameters"]["w"], node["parameters"]["b"]
            into, out = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
            one = lambda: draw[scheme](into, out, random)
            parameters[f"{node['name']}.weight"] = {"shape": shape, "data": [one() for _ in range(int(np.prod(shape)))]}
            data = [one() if scheme == "fanInUniform" else 0 for _ in range(bias[0])]
            parameters[f"{node['name']}.bias"] = {"shape": bias, "data": data}
        mean, variance = {"shape": [3], "data": [0] * 3}, {"shape": [3], "data": [1] * 3}
        return parameters | {"bn1.running_mean": mean, "bn1.running_var": variance}

    words = {"heNormal": "he-normal", "heUniform": "he-uniform", "glorotNormal": "glorot-normal"}
    words |= {"glorotUniform": "glorot-uniform", "fanInUniform": "fan-in-uniform"}
    for scheme, word in words.items():
        title = f"first weights by {scheme}, layer by layer"
        arguments = [model, {"seed": 5, "stream": 0}, scheme]
        yield function_case(f"initialize/{word}", title, arguments, drawn(scheme, 5), compare=FEW_ROUNDINGS)
    own = {**model, "initialization": "glorotUniform"}
    for id, title, given, scheme in [
        ("of-the-model", "no scheme: that of the model", own, "glorotUniform"),
        ("defaults", "no scheme, and none of the model: heNormal", model, "heNormal"),
    ]:
        arguments = [given, {"seed": 6, "stream": 0}]
        yield function_case(f"initialize/{id}", title, arguments, drawn(scheme, 6), tier="default", compare=FEW_ROUNDINGS)


def idx_file(sizes, items, kind=8):
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, kind, len(sizes), *sizes) + bytes(items)


MNIST_FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


def mnist_cases():
    pixels = [(37 * i + 11) % 256 for i in range(30)]
    files = [idx_file([3, 2, 3], pixels[:18]), idx_file([3], [5, 0, 9]), idx_file([2, 2, 3], pixels[18:]), idx_file([2], [7, 2])]

    def directory(at=None, data=None):
        return [{"files": {name: as_bytes(data if i == at else files[i]) for i, name in enumerate(MNIST_FILES)}}]

    sets = {
        "train": labelled([1, 2, 3], pixels[:18], [5, 0, 9]),
        "test": labelled([1, 2, 3], pixels[18:], [7, 2]),
    }
    yield function_case("mnist/bytes", "three and two pictures of 2×3 pixels, and their labels", directory(), sets)
    for id, at, data, error in [
        ("floats", 0, idx_file([3, 2, 3], pixels[:18], 0x0D), "the header says that the items are floats"),
        ("cut-off", 0, files[0][:-1], "the last byte is missing"),
        ("one-byte-more", 0, files[0] + b"\0", "there are more bytes than the header says"),
        ("fewer-labels", 1, idx_file([2], [5, 0]), "two labels for three pictures"),
        ("label-ten", 1, idx_file([3], [5, 10, 9]), "the second label is 10"),
    ]:
        yield function_case(f"mnist/{id}", f"error: {error}", directory(at, data), error=error)


def csv_cases():
    def text(rows, names, end="\n"):
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        if names:
            writer.writerow(["label"] + [f"{i // 28 + 1}x{i % 28 + 1}" for i in range(784)])
        writer.writerows(rows)
        return out.getvalue().rstrip("\n").encode() + end.encode()

    def rows(count, start):
        """Pictures of a few gray pixels, none like another; the last pixel is 0 to 9."""
        pixels = lambda n: [(n * 89 + i * 13) % 256 if i % 28 < 9 and i < 300 else n % 10 if i == 783 else 0 for i in range(784)]
        return [[(7 * n + 5) % 10, *pixels(n)] for n in range(start, start + count)]

    for id, title, count, names, end in [
        ("names", "the first line holds names", 3, True, "\n"),
        ("no-names", "the first line is a picture, and the last has no newline", 3, False, ""),
        ("long", "more bytes than a file gives at once", 60, True, "\n"),
    ]:
        train, test = rows(count, 0), rows(2, count)
        files = {"mnist_train.csv": packed(text(train, names, end)), "mnist_test.csv": packed(text(test, names, end))}
        result = {}
        for key, content in [("train", text(train, names, end)), ("test", text(test, names, end))]:
            lines = list(csv.reader(io.StringIO(content.decode())))[1 if names else 0 :]
            result[key] = labelled([1, 28, 28], [r[1:] for r in np.array(lines, int)], [int(r[0]) for r in lines], packed)
        yield function_case(f"csv/{id}", title, [{"files": files}], result, function="csvDirectory")


def cifar10_cases():
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
    image = lambda n: np.fromfunction(lambda c, h, w: (89 * n + 61 * c + 37 * h + w) % 256, (3, 32, 32)).astype(np.uint8)
    parts, labels = [[0, 1], [2], [3], [4], [5], [6, 7]], [(3 * n + 2) % 10 for n in range(8)]
    record = lambda n: bytes([labels[n]]) + image(n).tobytes()
    files = {name: packed(b"".join(record(n) for n in part)) for name, part in zip(names, parts)}
    some = lambda ns: labelled([3, 32, 32], np.stack([image(n) for n in ns]), [labels[n] for n in ns], packed)
    sets = {"train": some(range(6)), "test": some([6, 7])}
    yield function_case("cifar10/bytes", "six and two photographs in six files: a label, red, green, blue", [{"files": files}], sets)


def images_cases():
    pixels = np.array([(53 * i + 200) % 256 for i in range(7 * 4)], np.uint8)
    labels = np.array([3, 1, 0, 2, 5, 4, 6], np.uint8)
    images = labelled([1, 2, 2], pixels, labels)

    def batch(positions):
        x = pixels.reshape(7, 1, 2, 2)[positions] / 255.0
        return {"x": json_tensor(torch.tensor(x)), "labels": json_tensor(torch.tensor(labels[positions].astype(float)))}

    split = lambda order, size: [batch(order[at : at + size]) for at in range(0, 7, size)]
    yield function_case("images/batch", "pictures 5, 0 and 3, from 0 to 1, with their labels", [images, [5, 0, 3]], batch([5, 0, 3]), "batchOf")
    yield function_case("images/in-order", "seven pictures by three: 3, 3 and 1", [images, 3], split(list(range(7)), 3), "batches")
    order = Random(4).shuffled(7)
    title = "seven pictures by three, in an order of seed 4"
    yield function_case("images/shuffled", title, [images, 3, {"seed": 4, "stream": 0}], split(order, 3), "batches")
    some = lambda at: labelled([1, 2, 2], pixels.reshape(7, 4)[at], labels[at])
    yield function_case("images/first", "the first two of seven", [2, images], some(slice(0, 2)), "first")
    yield function_case("images/last", "the last two of seven", [2, images], some(slice(5, 7)), "last")
    x = torch.arange(12.0).reshape(1, 2, 2, 3) / 8
    mean, std = torch.tensor([0.5, 0.25]), torch.tensor([0.25, 2.0])
    y = (x - mean[:, None, None]) / std[:, None, None]
    yield function_case("images/normalize", "(x − mean) / std, channel by channel", [json_tensor(x), mean.tolist(), std.tolist()], json_tensor(y), "normalize")


def layout_cases():
    for name, order, shape in [
        ("toNHWC", (0, 2, 3, 1), (2, 3, 1, 4)),
        ("toNCHW", (0, 3, 1, 2), (2, 3, 1, 4)),
        ("toHWIO", (2, 3, 1, 0), (2, 3, 1, 4)),
        ("toOIHW", (3, 2, 0, 1), (2, 3, 1, 4)),
        ("toInOut", (1, 0), (2, 3)),
        ("toOutIn", (1, 0), (2, 3)),
    ]:
        x = np.arange(np.prod(shape), dtype=float).reshape(shape)
        y = torch.tensor(np.ascontiguousarray(x.transpose(order)))
        title = f"{name}: the numbers move with their axes"
        yield function_case(f"layout/{name.lower()}", title, [json_tensor(torch.tensor(x))], json_tensor(y), name)


def picture(array):
    """Pixels (H, W) or (H, W, channels) as a Picture."""
    array = np.asarray(array, np.uint8)
    channels = array.shape[2] if array.ndim == 3 else 1
    return {"height": array.shape[0], "width": array.shape[1], "channels": channels, "pixels": as_bytes(array.reshape(-1))}


def image_cases():
    rgba = np.array([[[200, 100, 50, 128], [255, 0, 0, 64], [1, 2, 3, 4]], [[77, 88, 99, 254], [0, 0, 0, 0], [0, 0, 255, 255]]], np.uint8)
    white = Image.new("RGBA", (3, 2), "white")
    on_white = Image.alpha_composite(white, Image.fromarray(rgba, "RGBA")).convert("RGB").convert("L")
    yield function_case("image/alpha", "colours with alpha, on white paper", [picture(rgba)], picture(np.array(on_white)), "grayscale")
    rgb = rgba[..., :3]
    gray = np.array(Image.fromarray(rgb, "RGB").convert("L"))
    yield function_case("image/colours", "red, green and blue by their brightness", [picture(rgb)], picture(gray), "grayscale")
    dark = np.array([[250, 240, 250, 255], [245, 10, 20, 250], [255, 0, 5, 240], [250, 30, 0, 255], [250, 255, 250, 250]])
    light = np.array(ImageOps.invert(Image.fromarray(dark.astype(np.uint8), "L")))
    yield function_case("image/dark-on-light", "ink on paper is inverted", [picture(dark)], picture(light), "whiteOnBlack")
    yield function_case("image/light-on-dark", "white on black stays", [picture(light)], picture(light), "whiteOnBlack")
    mostly = np.where(np.pad(np.ones((6, 6)), 1) > 0, 9, 200)
    inverted = np.array(ImageOps.invert(Image.fromarray(mostly.astype(np.uint8), "L")))
    yield function_case("image/mostly-ink", "more ink than paper: the border decides", [picture(mostly)], picture(inverted), "whiteOnBlack")
    edges = np.array([[0, 1, 254, 255]])
    yield function_case("image/invert", "255 − v", [picture(edges)], picture(255 - edges), "invert")
    batch = torch.tensor(rgb.transpose(2, 0, 1)[None] / 255.0)
    yield function_case("image/batch", "a picture in colours as (1, 3, H, W), from 0 to 1", [picture(rgb)], json_tensor(batch), "toBatch")


def frame_cases():
    def framed(array, paper):
        ink = np.where(array > paper, array, 0).astype(np.uint8)
        rows, columns = np.nonzero(ink.any(1))[0], np.nonzero(ink.any(0))[0]
        ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        scale = 20 / max(ink.shape)
        height, width = (max(1, math.floor(side * scale + 0.5)) for side in ink.shape)
        digit = np.array(Image.fromarray(ink, "L").resize((width, height), Image.BILINEAR))
        total = digit.sum(dtype=int)
        centre = [((np.arange(side) + 0.5) * digit.sum(1 - axis, dtype=int)).sum() / total for axis, side in enumerate(digit.shape)]
        top, left = (min(28 - side, max(0, 14 - math.floor(c))) for c, side in zip(centre, digit.shape))
        field = np.zeros((28, 28), np.uint8)
        field[top : top + height, left : left + width] = digit
        return picture(field)

    seven = np.zeros((40, 33), int)
    seven[5:9, 6:24] = 255
    for row in range(9, 37):
        seven[row, 22 - row // 3 : 25 - row // 3] = 200
    yield function_case("frameAsMnist/seven", "a seven of 40×33 pixels, in its box of 20×20", [picture(seven)], framed(seven, 0))
    gray = np.where(seven > 0, seven, 40)
    title = "gray paper of 40 is 0, within the box too"
    yield function_case("frameAsMnist/paper", title, [picture(gray), {"paper": 40}], framed(gray, 40))


def predict_cases():
    p = torch.tensor([[0.25, 0.5, 0.125, 0.125], [0.75, 0.25, 0, 0], [0.25, 0.125, 0.3125, 0.3125]])
    readings = lambda p: [
        {"digit": int(np.argmax(row)), "confidence": json_tensor(row.max()), "probabilities": json_tensor(row)} for row in p
    ]
    yield function_case("predict/readings", "every row by itself; of equals the first", [json_tensor(p)], readings(p), "readings")
    model = {"name": "copies", "input": [1, 2, 2], "normalize": {"mean": [0.5], "std": [0.25]}, "nodes": [{"name": "flatten", "layer": "flatten"}]}
    x = torch.tensor([0, 0.5, 0.25, 1, 0.75, 0.125, 0, 0]).reshape(2, 1, 2, 2)
    p = F.softmax((x.flatten(1) - 0.5) / 0.25, 1)
    title = "two pictures, normalised once, whose pixels are the logits"
    yield function_case("predict/normalised", title, [model, {}, json_tensor(x)], readings(p), "predict", compare=FEW_ROUNDINGS)
    logits = torch.tensor([[1.0, 3, 2], [5, 5, 4], [-2, -1, -1]])
    classes = [int(np.argmax(row)) for row in logits]
    yield function_case("network/predictions", "the largest of each row, of equals the first", [json_tensor(logits)], classes, "predictions")
    model = {"nodes": [{"name": "bn1", "layer": "batchNorm", "parameters": {"gamma": [2], "beta": [2]}}]}
    state = {f"bn1.{k}": json_tensor(v) for k, v in torch.nn.BatchNorm1d(2).state_dict().items() if k.startswith("running")}
    title = "running statistics before the first batch"
    yield function_case("network/initial-statistics", title, [model], state, "initialStatistics")


# ── Models ───────────────────────────────────────────────────────────────────
# The networks once more, as PyTorch modules, written from the documents.


def sequence(*layers):
    return torch.nn.Sequential(OrderedDict(layers))


class Block(torch.nn.Module):
    """A residual block: what is added to its body, x itself or a projection of it; relu after the sum."""

    def __init__(self, into, out, stride, bias):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(into, out, 3, stride, 1, bias=bias)
        self.bn1 = torch.nn.BatchNorm2d(out)
        self.relu = torch.nn.ReLU()
        self.conv2 = torch.nn.Conv2d(out, out, 3, 1, 1, bias=bias)
        self.bn2 = torch.nn.BatchNorm2d(out)
        if stride > 1 or into != out:
            self.downsample = torch.nn.Sequential(torch.nn.Conv2d(into, out, 1, stride, bias=bias), torch.nn.BatchNorm2d(out))
        self.sum = torch.nn.Identity()
        self.relu2 = torch.nn.ReLU()


def resnet18_module(classes=3, channels=3, bias=False, dropout=0.0, widths=(64, 128, 256, 512)):
    nn = torch.nn
    stem = [("conv1", nn.Conv2d(channels, widths[0], 7, 2, 3, bias=bias)), ("bn1", nn.BatchNorm2d(widths[0]))]
    stem += [("relu", nn.ReLU()), ("maxpool", nn.MaxPool2d(3, 2, 1))]
    before = widths[0]
    for i, width in enumerate(widths):
        first = Block(before, width, 1 if i == 0 else 2, bias)
        stem.append((f"layer{i + 1}", nn.Sequential(first, Block(width, width, 1, bias))))
        before = width
    end = [("avgpool", nn.AdaptiveAvgPool2d(1))] + ([("dropout", nn.Dropout(dropout))] if dropout else [])
    return sequence(*stem, *end, ("fc", nn.Linear(before, classes)))


def modules():
    """[(name, function, options, shape of an image, module, mean and std, how weights start)]"""
    nn = torch.nn
    conv, pool, flat = nn.Conv2d, nn.MaxPool2d, ("flatten", nn.Flatten())
    he, torch_own, scale = "heNormal", "fanInUniform", {"mean": [0.1307], "std": [0.3081]}
    digit = [1, 28, 28]
    yield "dense", "dense", None, digit, sequence(
        flat, ("fc1", nn.Linear(784, 128)), ("relu1", nn.ReLU()), ("fc2", nn.Linear(128, 64)), ("relu2", nn.ReLU()), ("fc3", nn.Linear(64, 10))
    ), None, he
    yield "page3", "page3", None, digit, sequence(
        ("conv1", conv(1, 8, 3)), ("relu1", nn.ReLU()), ("pool1", pool(2)), flat,
        ("fc1", nn.Linear(8 * 13 * 13, 64)), ("relu2", nn.ReLU()), ("fc2", nn.Linear(64, 10)),
    ), None, he  # fmt: skip
    yield "page3-two-conv", "page3TwoConv", None, digit, sequence(
        ("conv1", conv(1, 8, 3)), ("relu1", nn.ReLU()), ("pool1", pool(2)), ("conv2", conv(8, 16, 3)), ("relu2", nn.ReLU()), ("pool2", pool(2)),
        flat, ("fc1", nn.Linear(16 * 5 * 5, 64)), ("relu3", nn.ReLU()), ("fc2", nn.Linear(64, 10)),
    ), None, he  # fmt: skip
    yield "tanh-avg", "tanhAvg", None, digit, sequence(
        ("conv1", conv(1, 6, 3)), ("tanh1", nn.Tanh()), ("pool1", nn.AvgPool2d(3, 1)), flat,
        ("fc1", nn.Linear(6 * 24 * 24, 32)), ("tanh2", nn.Tanh()), ("fc2", nn.Linear(32, 10)),
    ), None, torch_own  # fmt: skip
    for name, options, pooling, activation in [("lenet5", {}, pool, nn.ReLU), ("lenet5-1998", {"original": True}, nn.AvgPool2d, nn.Tanh)]:
        yield name, "lenet5", options, digit, sequence(
            ("conv1", conv(1, 6, 5, 1, 2)), ("act1", activation()), ("pool1", pooling(2)), ("conv2", conv(6, 16, 5)), ("act2", activation()),
            ("pool2", pooling(2)), flat, ("fc1", nn.Linear(400, 120)), ("act3", activation()), ("fc2", nn.Linear(120, 84)),
            ("act4", activation()), ("fc3", nn.Linear(84, 10)),
        ), scale, torch_own  # fmt: skip
    yield "mnist-net", "mnistNet", None, digit, sequence(
        ("conv1", conv(1, 32, 3, 1, 1)), ("relu1", nn.ReLU()), ("pool1", pool(2)), ("conv2", conv(32, 64, 3, 1, 1)), ("relu2", nn.ReLU()),
        ("pool2", pool(2)), flat, ("fc1", nn.Linear(64 * 7 * 7, 128)), ("relu3", nn.ReLU()), ("fc2", nn.Linear(128, 10)),
    ), scale, torch_own  # fmt: skip
    yield "cnn-with-bn", "cnnWithBn", None, digit, sequence(
        ("conv1", conv(1, 32, 3, 1, 1)), ("bn1", nn.BatchNorm2d(32)), ("relu1", nn.ReLU()), ("pool1", pool(2)), ("dropout1", nn.Dropout2d(0.25)),
        flat, ("fc1", nn.Linear(32 * 14 * 14, 128)), ("bn2", nn.BatchNorm1d(128)), ("relu2", nn.ReLU()), ("fc2", nn.Linear(128, 10)),
    ), scale, torch_own  # fmt: skip
    part = lambda into, out: [conv(into, out, 3, 1, 1), nn.BatchNorm2d(out), nn.ReLU()]
    features = nn.Sequential(*part(3, 64), *part(64, 64), pool(2), *part(64, 128), *part(128, 128), pool(2))
    classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(8192, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10))
    whole = sequence(("features", features), flat, ("classifier", classifier))
    yield "cifar10-net", "cifar10Net", None, [3, 32, 32], whole, None, torch_own
    yield "resnet18", "resnet18", {}, [3, 224, 224], resnet18_module(), None, he
    given = {"classes": 5, "input": [1, 64, 48], "bias": True, "dropout": 0.5, "widths": [2, 3, 4, 5]}
    small = resnet18_module(5, 1, True, 0.5, (2, 3, 4, 5))
    yield "resnet18-options", "resnet18", given, [1, 64, 48], small, None, he


def layer_line(m):
    """A module as one line: 'conv2d 3×3 stride 1 padding 1'."""
    two = lambda v: "×".join(map(str, v if isinstance(v, tuple) else (v, v)))
    nn = torch.nn
    if isinstance(m, nn.Conv2d):
        return f"conv2d {two(m.kernel_size)} stride {two(m.stride)} padding {two(m.padding)}"
    if isinstance(m, (nn.MaxPool2d, nn.AvgPool2d)):
        return f"{'max' if isinstance(m, nn.MaxPool2d) else 'avg'}Pool2d {two(m.kernel_size)} stride {two(m.stride)} padding {two(m.padding)}"
    if isinstance(m, nn.Dropout2d):
        return f"dropout {m.p} of channels"
    if isinstance(m, nn.Dropout):
        return f"dropout {m.p}"
    if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
        return f"batchNorm decay {1 - m.momentum} unbiased"
    names = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.Flatten: "flatten", nn.Linear: "linear", nn.AdaptiveAvgPool2d: "globalAvgPool2d"}
    return names[type(m)]


def lines(module):
    for child in module.children():
        if isinstance(child, Block):
            body = [child.conv1, child.bn1, child.relu, child.conv2, child.bn2]
            shortcut = list(getattr(child, "downsample", []))
            yield {"body": [layer_line(m) for m in body], "shortcut": [layer_line(m) for m in shortcut]}
            yield layer_line(child.relu2)
        elif isinstance(child, torch.nn.Sequential):
            yield from lines(child)
        else:
            yield layer_line(child)


def model_cases():
    for name, function, options, image, module, scale, start in modules():
        parameters = {k: list(v.shape) for k, v in module.named_parameters()}
        count = sum(v.numel() for v in module.parameters())
        result = {"input": image, "normalize": scale, "initialization": start, "layers": list(lines(module)), "parameters": parameters}
        tier = "default" if options == {} else "trace"
        arguments = [] if options is None else [options] if options else []
        yield function_case(f"models/{name}", f"{name}: {count:,} parameters, layer by layer", arguments, result, function, tier=tier)


def error_cases():
    """What is no right call, and has to be said so."""
    ones = json_tensor(torch.ones(1, 3))
    yield function_case("batchStatistics/one-value", "error: one value per channel has no variance", [ones], error="one value per channel", function="batchStatistics")
    for id, stride in [("larger", 1), ("larger-by-less-than-a-stride", 2)]:
        yield function_case(f"window/{id}", f"error: a window of 3 on 2 pixels, stride {stride}", ["conv2d", [2, 2], [3, 3], {"stride": stride}], error="the window is larger than the image", function="geometry")
    x = torch.ones(1, 1, 2, 2)
    for stride in (1, 2):
        try:
            F.conv2d(x, torch.ones(1, 1, 3, 3), stride=stride)
            sys.exit("PyTorch takes a window larger than the image")
        except RuntimeError:
            pass


def write_functions():
    makers = [random_cases, mask_cases, initialize_cases, mnist_cases, csv_cases, cifar10_cases, images_cases, layout_cases]
    makers += [image_cases, frame_cases, predict_cases, model_cases, error_cases]
    return {
        "format": "cnn-spec/1",
        "source": "Python's struct and csv for files, NumPy for tensors, Pillow 9.4 for pictures, a second program of the random numbers, "
        f"and {WITNESS} for models and their weights: scripts/confirm-golden.py --write.",
        "cases": [case for make in makers for case in make()],
    }


# ── Training ─────────────────────────────────────────────────────────────────


def write_training():
    """A network with batch norm and both kinds of dropout learns pictures of 3×4 pixels; autograd has its gradients."""
    nodes = [
        {"name": "conv1", "layer": "conv2d", "parameters": {"w": [2, 1, 2, 2], "b": [2]}},
        {"name": "bn1", "layer": "batchNorm", "parameters": {"gamma": [2], "beta": [2]}},
        {"name": "dropout1", "layer": "dropout", "options": {"p": 0.25}, "wholeChannels": True},
        {"name": "tanh1", "layer": "tanh"},
        {"name": "dropout0", "layer": "dropout", "options": {"p": 0.25}},
        {"name": "flatten", "layer": "flatten"},
        {"name": "bn2", "layer": "batchNorm", "parameters": {"gamma": [12], "beta": [12]}, "running": {"decay": 0.75, "unbiased": True}},
        {"name": "dropout2", "layer": "dropout"},
        {"name": "fc1", "layer": "linear", "parameters": {"w": [3, 12], "b": [3]}},
    ]
    fill = lambda shape, a, b: (((torch.arange(float(np.prod(shape))) * a + b) % 11 - 5) / 8).reshape(shape)
    start = {
        **{"conv1.weight": fill([2, 1, 2, 2], 5, 2), "conv1.bias": fill([2], 3, 1), "bn1.weight": fill([2], 2, 9), "bn1.bias": fill([2], 7, 4)},
        **{"bn2.weight": fill([12], 3, 8), "bn2.bias": fill([12], 4, 6), "fc1.weight": fill([3, 12], 7, 4), "fc1.bias": fill([3], 2, 5)},
        **{"bn1.running_mean": torch.zeros(2), "bn1.running_var": torch.ones(2)},
        **{"bn2.running_mean": torch.zeros(12), "bn2.running_var": torch.ones(12)},
    }

    def pictures(count, start):
        labels = np.array([(2 * n + start) % 3 for n in range(count)], np.uint8)
        pixels = np.array([[(53 * n + 31 * i + 97 * labels[n] + start) % 256 for i in range(12)] for n in range(count)], np.uint8)
        return pixels, labels

    def case(id, title, options, normalize, tier="trace"):
        p = {k: v.clone().requires_grad_("running" not in k) for k, v in start.items()}
        (pixels, labels), (test_pixels, test_labels) = pictures(8, 0), pictures(9, 1)
        scaled = lambda array: torch.tensor(array.reshape(-1, 1, 3, 4) / 255.0)
        seen = lambda array: (scaled(array) - normalize["mean"][0]) / normalize["std"][0] if normalize else scaled(array)
        frozen, momentum = options.get("frozen", []), options.get("optimizerOptions", {}).get("momentum", 0)

        def norm(x, name, training, decay, unbiased):
            if training:
                with torch.no_grad():
                    dims = [d for d in range(x.dim()) if d != 1]
                    p[f"{name}.running_mean"] = decay * p[f"{name}.running_mean"] + (1 - decay) * x.mean(dims)
                    p[f"{name}.running_var"] = decay * p[f"{name}.running_var"] + (1 - decay) * x.var(dims, unbiased=unbiased)
            statistics = (None, None) if training else (p[f"{name}.running_mean"], p[f"{name}.running_var"])
            return F.batch_norm(x, *statistics, p[f"{name}.weight"], p[f"{name}.bias"], training, 0, 1e-5)

        def drop(x, shape, q, random):
            if random is None:
                return x
            mask = [0.0 if random.uniform() < q else 1.0 for _ in range(int(np.prod(shape)))]
            return x * torch.tensor(mask).reshape(shape) / (1 - q)

        def run(x, random=None):
            training = random is not None
            x = norm(F.conv2d(x, p["conv1.weight"], p["conv1.bias"]), "bn1", training, 0.9, False)
            x = torch.tanh(drop(x, [len(x), 2, 1, 1], 0.25, random))
            x = drop(x, list(x.shape), 0.25, random).flatten(1)
            x = norm(x, "bn2", training, 0.75, True)
            return F.linear(drop(x, list(x.shape), 0.5, random), p["fc1.weight"], p["fc1.bias"])

        steps, velocity, t = [], {}, 0
        for epoch in range(1, options["epochs"] + 1):
            random = Random(options["seed"], epoch)
            order = random.shuffled(8)
            images, total, right = 0, 0, 0
            for at in range(0, 8, options["batch"]):
                rows = order[at : at + options["batch"]]
                logits = run(seen(pixels[rows]), random)
                target = torch.tensor(labels[rows].astype(np.int64))
                loss = F.cross_entropy(logits, target)
                learning = {k: v for k, v in p.items() if v.requires_grad and k not in frozen}
                gradients = torch.autograd.grad(loss, list(learning.values()))
                with torch.no_grad():
                    for (k, v), g in zip(learning.items(), gradients):
                        velocity[k] = momentum * velocity.get(k, 0) + g
                        v -= options["rates"][t] * velocity[k]
                t += 1
                images += len(rows)
                total += loss.item() * len(rows)
                right += (logits.argmax(1) == target).sum().item()
                steps.append([epoch, images, loss.item(), total / images, right / images])
        tests, images, total, right = [], 0, 0, 0
        for at in range(0, 9, 4):
            with torch.no_grad():
                logits = run(seen(test_pixels[at : at + 4]))
            target = torch.tensor(test_labels[at : at + 4].astype(np.int64))
            loss = F.cross_entropy(logits, target).item()
            images += len(target)
            total += loss * len(target)
            right += (logits.argmax(1) == target).sum().item()
            tests.append([images, loss, total / images, right / images])
        return {
            **{"id": id, "title": title, "tier": tier},
            "model": {"name": "small", "input": [1, 3, 4], **({"normalize": normalize} if normalize else {}), "nodes": nodes},
            "parameters": {k: json_tensor(v) for k, v in start.items()},
            "images": labelled([1, 3, 4], pixels, labels),
            "options": options,
            "steps": json_tensor(torch.tensor(steps)),
            "after": {k: json_tensor(v.detach()) for k, v in p.items()},
            "test": {"images": labelled([1, 3, 4], test_pixels, test_labels), "batch": 4, "steps": json_tensor(torch.tensor(tests))},
            "compare": {"mode": "relative", "rtol": 1e-10, "atol": 1e-11, "reason": "six steps through batch norm, sums in another order"},
        }

    rates = [0.5, 0.25, 0.25, 0.125, 0.5, 0.0625]
    first = {"epochs": 2, "batch": 3, "rates": rates, "optimizerOptions": {"momentum": 0.5}, "seed": 9}
    second = {"epochs": 1, "batch": 5, "rates": [0.25, 0.5], "seed": 2, "frozen": ["conv1.weight", "bn2.bias"]}
    return {
        "format": "cnn-spec/1",
        "source": f"A network of eight layers on pictures made by a formula, its random numbers by a second program, its steps by {WITNESS}: "
        "scripts/confirm-golden.py --write.",
        "cases": [
            case("train/momentum", "eight pictures by three, two epochs of SGD with momentum and a rate of its own for every step", first, {"mean": [0.5], "std": [0.25]}),
            case("train/frozen", "one epoch of plain SGD, without two of the parameters", second, None),
        ],
    }


WRITTEN = {
    "models/lenet5.json": write_lenet5,
    "models/tanhAvgCurve.json": write_curve,
    "functions.json": write_functions,
    "training.json": write_training,
}


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit(__doc__)
    if sys.argv[1:] == ["--write"]:
        for name, make in WRITTEN.items():
            (GOLDEN / name).write_text(json.dumps(make(), ensure_ascii=False))
            print(f"golden/{name}: written; `npm run golden` gives it its form")
        return
    print(WITNESS)
    for path in sorted(GOLDEN.rglob("*.json")):
        if path.name == "schema.json":
            continue
        name, file = str(path.relative_to(GOLDEN)), json.loads(path.read_text())
        if name in ("functions.json", "training.json"):  # nothing to compare but what is written here
            written = {case["id"]: case for case in WRITTEN[name]()["cases"]}
            stored = [{k: v for k, v in case.items() if k != "flags"} for case in file["cases"]]  # flags are npm run bugs'
            results = [(case["id"], "not as written", 0.0 if case == written.get(case["id"]) else None) for case in stored]
        else:
            results = confirm(file, path)
        apart = [f"{id}: {what}" for id, what, d in results if d is None or d > 1e-12]
        worst = max((d for *_, d in results if d is not None and d <= 1e-12), default=0)
        count = len({id for id, *_ in results})
        print(f"{path.relative_to(GOLDEN)!s:38} {count:3} cases, within {worst:.1e} of the largest number", end="")
        errors = sum("error" in case for case in file["cases"])
        print(f", {errors} errors not judged" if errors else "", end="")
        print("" if not apart else f", {len(apart)} apart:" + "".join(f"\n    {line}" for line in apart))


main()
