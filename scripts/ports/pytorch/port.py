#!/usr/bin/env python3
"""The layers of cnn-spec as PyTorch computes them, in float64, and the loop that answers its runner.

    python3 port.py

Every layer is a call of torch.nn.functional, and every gradient torch.autograd's. Where PyTorch does otherwise than
cnn-spec, so does this port: README.md lists where.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)  # small tensors: a second thread only waits

# ── Borders ──────────────────────────────────────────────────────────────────


def symmetric(padding):
    return padding["top"] == padding["bottom"] and padding["left"] == padding["right"]


def both(padding):
    return padding["top"], padding["left"]


def pad(x, padding, value=0.0):
    return F.pad(x, [padding[side] for side in ("left", "right", "top", "bottom")], value=value)


def started(y, x, stride, padding):
    """The places of a ceil-mode pool that start before the end of the image: on a padded one PyTorch keeps more."""
    rows = math.ceil((padding["top"] + x.shape[2]) / stride[0])
    columns = math.ceil((padding["left"] + x.shape[3]) / stride[1])
    return y[:, :, :rows, :columns]


# ── Layers: PyTorch has symmetric padding only, F.pad has the other ───────────


def conv2d(x, w, b, stride, padding, dilation, groups=1):
    if symmetric(padding):
        return F.conv2d(x, w, b, stride, both(padding), dilation, groups)
    return F.conv2d(pad(x, padding), w, b, stride, 0, dilation, groups)


def max_pool2d(x, kernel, stride, padding, dilation, ceilMode):
    if symmetric(padding):
        y, winners = F.max_pool2d(x, kernel, stride, both(padding), dilation, ceilMode, return_indices=True)
        if x.requires_grad and (winners >= x[0, 0].numel()).any():
            raise Skip("a window misses the image: PyTorch would write its gradient outside dx, and may then crash")
        return y
    y = F.max_pool2d(pad(x, padding, -math.inf), kernel, stride, 0, dilation, ceilMode)
    return started(y, x, stride, padding)


def avg_pool2d(x, kernel, stride, padding, ceilMode, countIncludePad):
    if symmetric(padding):
        return F.avg_pool2d(x, kernel, stride, both(padding), ceilMode, countIncludePad)
    mean = lambda t: started(F.avg_pool2d(pad(t, padding), kernel, stride, 0, ceilMode), x, stride, padding)
    return mean(x) if countIncludePad else mean(x) / mean(torch.ones_like(x))


class Skip(Exception):
    """What PyTorch cannot be asked."""


def dropout(x, mask, p):
    """F.dropout draws its mask itself: this is what it then does."""
    F.dropout(x, p, training=False)  # an error unless 0 ≤ p ≤ 1
    return x * 0 if p == 1 else x * mask / (1 - p)


def batch_norm(x, gamma, beta, eps):
    return F.batch_norm(x, None, None, gamma, beta, True, 0, eps)


def batch_norm_inference(x, gamma, beta, mean, variance, eps):
    return F.batch_norm(x, mean, variance, gamma, beta, False, 0, eps)


def cross_entropy(logits, labels):
    if labels.dim() == 1:  # classes
        whole = labels.long()
        if not torch.equal(whole.double(), labels):
            raise ValueError("labels are no integers")
        return F.cross_entropy(logits, whole)
    return F.cross_entropy(logits, labels)


LAYERS = {
    "conv2d": conv2d,
    "groupedConv2d": conv2d,
    "linear": F.linear,
    "relu": lambda x: F.relu(x),
    "leakyRelu": lambda x, negativeSlope: F.leaky_relu(x, negativeSlope),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "maxPool2d": max_pool2d,
    "avgPool2d": avg_pool2d,
    "globalAvgPool2d": lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
    "flatten": lambda x: x.flatten(1),
    "softmax": lambda x: F.softmax(x, 1),
    "logSoftmax": lambda x: F.log_softmax(x, 1),
    "softmaxCrossEntropy": cross_entropy,
    "meanSquaredError": lambda x, target: F.mse_loss(x, target),
    "dropout": dropout,
    "batchNorm": batch_norm,
    "batchNormInference": batch_norm_inference,
}

# ── The protocol: a message a line, JSON ─────────────────────────────────────


def read_tensor(message):
    return torch.tensor([float(v) for v in message["data"]]).reshape(message["shape"])  # float reads "NaN" and "-0" too


def write_tensor(x):
    shape, x = x.shape, x.detach().flatten()
    data = x.tolist()
    for i in (~x.isfinite() | ((x == 0) & x.signbit())).nonzero().flatten().tolist():  # what JSON has no number for
        data[i] = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "-0.0": "-0"}[str(data[i])]
    return {"shape": shape, "data": data}


def run(message):
    backward = message["direction"] == "backward"
    inputs = {name: read_tensor(t).requires_grad_(backward) for name, t in message["inputs"].items()}
    constants = {name: read_tensor(t) for name, t in message.get("constants", {}).items()}
    y = LAYERS[message["layer"]](*inputs.values(), *constants.values(), **message["options"])
    if not backward:
        return {"y": y}
    gradients = torch.autograd.grad(y, inputs.values(), read_tensor(message["dy"]))
    return {f"d{name}": gradient for name, gradient in zip(inputs, gradients)}


def answer(message):
    if message["cmd"] == "start":
        layers = {name: ["forward", "backward"] for name in LAYERS}
        about = {"name": f"PyTorch {torch.__version__}", "language": "Python", "dtype": "float64", "layout": "NCHW"}
        return {"protocol": 1, **about, "layers": layers}
    try:
        outputs = run(message)
    except Skip as reason:
        return {"seq": message["seq"], "skip": str(reason)}
    except Exception as error:
        return {"seq": message["seq"], "error": str(error).split("\n")[0]}
    return {"seq": message["seq"], "outputs": {name: write_tensor(x) for name, x in outputs.items()}}


def main():
    for line in sys.stdin.buffer:
        try:
            message = json.loads(line)
        except ValueError as error:
            sys.exit(f"not JSON: {error}")
        if message["cmd"] == "stop":
            break
        print(json.dumps(answer(message), allow_nan=False), flush=True)


if __name__ == "__main__":
    main()
