#!/usr/bin/env python3
"""The layers of cnn-spec in NumPy, and the loop that answers its runner.

    python3 port.py [--float32]

A layer is a plain function, layer(*inputs, *constants, options by name); its backward takes dy first and gives the
gradient of every input. Images are (N, C, H, W), kernels (O, C, KH, KW), linear weights (O, D).
"""
import json
import re
import sys

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# ── What a call must be like ─────────────────────────────────────────────────


def sizes(name, x, *pattern):
    """x.shape, once it fits: a number must match, a letter is any size from 1 on, and a last "…" any further sizes."""
    open_ended = pattern[-1:] == ("…",)
    count = x.ndim >= len(pattern) if open_ended else x.ndim == len(pattern)
    wanted = pattern + ("…",) * (x.ndim - len(pattern))
    if not count or any(s != want if isinstance(want, int) else s < 1 for s, want in zip(x.shape, wanted)):
        raise ValueError(f"{name} has shape {x.shape}, expected ({', '.join(map(str, pattern))})")
    return x.shape


def integers(name, values, count, least):
    if len(values) != count or any(type(v) is not int or v < least for v in values):
        raise ValueError(f"{name} is {values}, expected {count} integers ≥ {least}")
    return values


def number(name, value, least, most=np.inf):
    if isinstance(value, bool) or not (least <= value <= most and np.isfinite(value)):
        raise ValueError(f"{name} is {value}, expected a number from {least} to {most}")


def true_or_false(name, value):
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value}, expected true or false")


# ── Windows ──────────────────────────────────────────────────────────────────


class Window:
    """Where a KH×KW window stops on an H×W image: at OH×OW places. The one home of strides, borders and sizes."""

    def __init__(self, image, kernel, stride, padding, dilation=(1, 1), ceil_mode=False):
        self.image = image
        self.kernel = integers("kernel", kernel, 2, 1)
        self.stride = integers("stride", stride, 2, 1)
        self.dilation = integers("dilation", dilation, 2, 1)
        top, bottom, left, right = integers("padding", padding, 4, 0)
        true_or_false("ceil_mode", ceil_mode)
        self.reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]  # pixels from the first tap to the last
        self.places, self.border = [], []
        for size, before, after, reach, s in zip(image, (top, left), (bottom, right), self.reach, stride):
            beyond = before + size + after - reach
            last = -(-beyond // s) if ceil_mode else beyond // s
            if ceil_mode and last * s >= before + size:
                last -= 1  # it would start beyond the image
            if last < 0:
                raise ValueError(f"the window is {reach} pixels, expected at most {before + size + after}")
            self.places.append(last + 1)
            self.border.append((before, max(after, last * s + reach - before - size)))  # ceil mode may need more

    def unfold(self, x, fill=0.0):
        """What lies under the window at every place: (N, C, OH, OW, KH, KW), `fill` outside the image."""
        padded = np.pad(x, [(0, 0), (0, 0), *self.border], constant_values=fill)
        (rows, columns), (sh, sw), (dh, dw) = self.places, self.stride, self.dilation
        return sliding_window_view(padded, self.reach, (2, 3))[:, :, ::sh, ::sw, ::dh, ::dw][:, :, :rows, :columns]

    def fold(self, parts):
        """unfold's adjoint: adds every part (N, C, OH, OW, KH, KW) to the pixel it lies on; the border is cut off."""
        (KH, KW), (rows, columns), (sh, sw), (dh, dw) = self.kernel, self.places, self.stride, self.dilation
        (H, W), ((top, bottom), (left, right)) = self.image, self.border
        x = np.zeros((*parts.shape[:2], top + H + bottom, left + W + right), parts.dtype)
        for kh in range(KH):
            for kw in range(KW):
                places = x[:, :, kh * dh :: sh, kw * dw :: sw][:, :, :rows, :columns]
                places += parts[..., kh, kw]
        return x[:, :, top : top + H, left : left + W]


# ── Convolutions ─────────────────────────────────────────────────────────────


def conv2d(x, w, b, *, stride, padding, dilation):
    _, C, *image = sizes("x", x, "N", "C", "H", "W")
    O, _, *kernel = sizes("w", w, "O", C, "KH", "KW")
    sizes("b", b, O)
    windows = Window(image, kernel, stride, padding, dilation).unfold(x)
    return np.einsum("ncijkl,ockl->noij", windows, w, optimize=True) + b[:, None, None]  # optimize: by BLAS


def conv2d_backward(dy, x, w, b, *, stride, padding, dilation):
    window = Window(x.shape[2:], w.shape[2:], stride, padding, dilation)
    dx = window.fold(np.einsum("noij,ockl->ncijkl", dy, w, optimize=True))
    dw = np.einsum("noij,ncijkl->ockl", dy, window.unfold(x), optimize=True)
    return {"dx": dx, "dw": dw, "db": dy.sum((0, 2, 3))}


def slices(groups, x, w, b):
    """The neighbouring channels of x, and the kernels and biases that see them, group by group."""
    if type(groups) is not int or groups < 1:
        raise ValueError(f"groups is {groups}, expected an integer ≥ 1")
    return zip(np.split(x, groups, 1), np.split(w, groups), np.split(b, groups))


def grouped_conv2d(x, w, b, *, groups, **window):
    return np.concatenate([conv2d(*part, **window) for part in slices(groups, x, w, b)], 1)


def grouped_conv2d_backward(dy, x, w, b, *, groups, **window):
    dys = np.split(dy, groups, 1)
    parts = [conv2d_backward(d, *part, **window) for d, part in zip(dys, slices(groups, x, w, b))]
    return {k: np.concatenate([part[k] for part in parts], axis) for k, axis in {"dx": 1, "dw": 0, "db": 0}.items()}


# ── Pools ────────────────────────────────────────────────────────────────────


def pool(x, kernel, stride, padding, **options):
    sizes("x", x, "N", "C", "H", "W")
    window = Window(x.shape[2:], kernel, stride, padding, **options)
    if any(2 * p > k for p, k in zip(padding, np.repeat(kernel, 2))):
        raise ValueError(f"padding is {padding}, expected at most half the kernel's {kernel}")
    return window


def winners(x, window):
    """The largest number under each window, and its tap: the first of them, a NaN before all. −∞ has none: −1."""
    taps = window.unfold(x, -np.inf)
    taps = taps.reshape(*taps.shape[:4], -1)
    tap = taps.argmax(-1)
    y = np.take_along_axis(taps, tap[..., None], -1)[..., 0]
    return y, np.where(y == -np.inf, -1, tap)


def max_pool2d(x, *, kernel, stride, padding, dilation, ceil_mode):
    window = pool(x, kernel, stride, padding, dilation=dilation, ceil_mode=ceil_mode)
    return winners(x, window)[0]


def max_pool2d_backward(dy, x, *, kernel, stride, padding, dilation, ceil_mode):
    window = pool(x, kernel, stride, padding, dilation=dilation, ceil_mode=ceil_mode)
    _, tap = winners(x, window)
    won = tap[..., None, None] == np.arange(np.prod(kernel)).reshape(kernel)
    return {"dx": window.fold(np.where(won, dy[..., None, None], 0))}


def counts(window, padding, count_include_pad):
    """How many taps count at each place (OH, OW): those on the image and its padding, or on the image alone."""
    top, bottom, left, right = padding
    axes = []
    sides = ((top, bottom), (left, right))
    for size, (before, after), k, s, places in zip(window.image, sides, window.kernel, window.stride, window.places):
        first, end = (-before, size + after) if count_include_pad else (0, size)
        start = np.arange(places) * s - before
        axes.append(np.minimum(start + k, end) - np.maximum(start, first))
    return np.multiply.outer(*axes)


def avg_pool2d(x, *, kernel, stride, padding, ceil_mode, count_include_pad):
    true_or_false("count_include_pad", count_include_pad)
    window = pool(x, kernel, stride, padding, ceil_mode=ceil_mode)
    return window.unfold(x).sum((-2, -1)) / counts(window, padding, count_include_pad).astype(x.dtype)


def avg_pool2d_backward(dy, x, *, kernel, stride, padding, ceil_mode, count_include_pad):
    window = pool(x, kernel, stride, padding, ceil_mode=ceil_mode)
    share = dy / counts(window, padding, count_include_pad).astype(dy.dtype)
    return {"dx": window.fold(np.broadcast_to(share[..., None, None], (*dy.shape, *kernel)))}


def global_avg_pool2d(x):
    sizes("x", x, "N", "C", "H", "W")
    return x.mean((2, 3))


def global_avg_pool2d_backward(dy, x):
    _, _, H, W = x.shape
    return {"dx": np.broadcast_to(dy[..., None, None] / (H * W), x.shape)}


# ── Linear layers, activations ───────────────────────────────────────────────


def linear(x, w, b):
    _, D = sizes("x", x, "N", "D")
    O, _ = sizes("w", w, "O", D)
    sizes("b", b, O)
    return x @ w.T + b


def linear_backward(dy, x, w, b):
    return {"dx": dy @ w, "dw": dy.T @ x, "db": dy.sum(0)}


def flatten(x):
    sizes("x", x, "N", "…")
    return x.reshape(len(x), -1)


def flatten_backward(dy, x):
    return {"dx": dy.reshape(x.shape)}


def relu(x):
    return np.where(x <= 0, 0, x)  # NaN stays NaN, −0 becomes 0; np.maximum(x, 0) promises only the first


def relu_backward(dy, x):
    return {"dx": np.where(x <= 0, 0, dy)}


def leaky_relu(x, *, negative_slope):
    number("negative_slope", negative_slope, 0)
    return np.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(dy, x, *, negative_slope):
    return {"dx": np.where(x <= 0, negative_slope * dy, dy)}


def tanh(x):
    return np.tanh(x)


def tanh_backward(dy, x):
    sech = 1 / np.cosh(x)  # dy·(1 − y²) would cancel
    return {"dx": dy * sech * sech}


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_backward(dy, x):
    e = np.exp(-np.abs(x))
    return {"dx": dy * (e / (1 + e) ** 2)}


# ── Classes and losses ───────────────────────────────────────────────────────


def softmax(x):
    sizes("x", x, "N", "K")
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def softmax_backward(dy, x):
    y = softmax(x)
    return {"dx": y * (dy - (dy * y).sum(1, keepdims=True))}


def log_softmax(x):
    sizes("x", x, "N", "K")
    apart = x - x.max(1, keepdims=True)
    return apart - np.log(np.exp(apart).sum(1, keepdims=True))


def log_softmax_backward(dy, x):
    return {"dx": dy - softmax(x) * dy.sum(1, keepdims=True)}


def targets(labels, logits):
    """Labels as rows of probabilities: classes (N) become one-hot, rows (N, K) stay."""
    N, K = logits.shape
    if labels.ndim == 2:
        sizes("labels", labels, N, K)
        if not ((labels >= 0).all() and (np.abs(labels.sum(1) - 1) <= 1e-6).all()):
            raise ValueError("labels are no rows of probabilities: numbers ≥ 0 of sum 1")
        return labels
    sizes("labels", labels, N)
    if not np.isin(labels, np.arange(K)).all():
        raise ValueError(f"labels are {labels}, expected integers in [0, {K})")
    return np.eye(K, dtype=logits.dtype)[labels.astype(int)]


def softmax_cross_entropy(logits, labels):
    sizes("logits", logits, "N", "K")
    target = targets(labels, logits)
    apart = logits.max(1, keepdims=True) - logits
    cost = np.log(np.exp(-apart).sum(1, keepdims=True)) + apart
    return (target * np.where(target > 0, cost, 0)).sum() / len(logits)  # a class of target 0 costs nothing: 0·∞ is 0


def softmax_cross_entropy_backward(dy, logits, labels):
    return {"dlogits": (softmax(logits) - targets(labels, logits)) * dy / len(logits)}


def mean_squared_error(x, target):
    sizes("target", target, *x.shape)
    if x.size == 0:
        raise ValueError(f"x has shape {x.shape}, expected at least one number")
    return np.square(x - target).mean()


def mean_squared_error_backward(dy, x, target):
    return {"dx": 2 * (x - target) * dy / x.size}


# ── Dropout, batch normalisation ─────────────────────────────────────────────


def dropout(x, mask, *, p):
    number("p", p, 0, 1)
    N, C, *pixels = sizes("x", x, "N", "C", *(["…"] if x.ndim > 2 else []))
    if mask.shape not in (x.shape, (N, C, *(1 for _ in pixels))):
        raise ValueError(f"mask has shape {mask.shape}, expected {x.shape}, or 1 for all of its pixels")
    if not np.isin(mask, (0, 1)).all():
        raise ValueError("mask has other numbers than 0 and 1")
    return kept(x, mask, p)


def dropout_backward(dy, x, mask, *, p):
    return {"dx": kept(dy, mask, p)}


def kept(x, mask, p):
    return np.where((mask == 1) & (p < 1), x / (1 - p), 0)  # not x·mask: what is left out is 0, were it ∞ or NaN


def channels(x, eps, **vectors):
    """The axes that a channel of x runs over, and every vector (C) in a shape that broadcasts over x."""
    number("eps", eps, 0)
    _, C, *pixels = sizes("x", x, *("N", "C", "H", "W") if x.ndim == 4 else ("N", "C"))
    for name, v in vectors.items():
        sizes(name, v, C)
    return (0, 2, 3)[: 1 + len(pixels)], [v.reshape(C, *(1 for _ in pixels)) for v in vectors.values()]


def normalise(x, axes, eps):
    """x̂, the root √(variance + eps) of each channel, and how many numbers a channel has. In two passes: E[x²] − mean²
    would lose every digit when the mean is large."""
    count = x.size // x.shape[1]
    if count < 2:
        raise ValueError(f"x has {count} value per channel, expected at least 2")
    apart = x - x.mean(axes, keepdims=True)
    deviation = np.sqrt(np.square(apart).mean(axes, keepdims=True) + eps)
    return apart / deviation, deviation, count


def batch_norm(x, gamma, beta, *, eps):
    axes, (g, b) = channels(x, eps, gamma=gamma, beta=beta)
    normalised, _, _ = normalise(x, axes, eps)
    return g * normalised + b


def batch_norm_backward(dy, x, gamma, beta, *, eps):
    axes, (g, _) = channels(x, eps, gamma=gamma, beta=beta)
    normalised, deviation, count = normalise(x, axes, eps)
    dgamma, dbeta = (dy * normalised).sum(axes, keepdims=True), dy.sum(axes, keepdims=True)
    dx = g / deviation * (dy - (dbeta + normalised * dgamma) / count)
    return {"dx": dx, "dgamma": dgamma.ravel(), "dbeta": dbeta.ravel()}


def batch_norm_inference(x, gamma, beta, mean, variance, *, eps):
    _, (g, b, m, v) = channels(x, eps, gamma=gamma, beta=beta, mean=mean, variance=variance)
    if (variance < 0).any():
        raise ValueError(f"variance is {variance}, expected numbers ≥ 0")
    return g * ((x - m) / np.sqrt(v + eps)) + b


def batch_norm_inference_backward(dy, x, gamma, beta, mean, variance, *, eps):
    axes, (g, m, v) = channels(x, eps, gamma=gamma, mean=mean, variance=variance)
    deviation = np.sqrt(v + eps)
    return {"dx": g / deviation * dy, "dgamma": ((x - m) / deviation * dy).sum(axes), "dbeta": dy.sum(axes)}


# ── The protocol: a message a line, JSON ─────────────────────────────────────

LAYERS = {
    "conv2d": (conv2d, conv2d_backward),
    "groupedConv2d": (grouped_conv2d, grouped_conv2d_backward),
    "linear": (linear, linear_backward),
    "relu": (relu, relu_backward),
    "leakyRelu": (leaky_relu, leaky_relu_backward),
    "tanh": (tanh, tanh_backward),
    "sigmoid": (sigmoid, sigmoid_backward),
    "maxPool2d": (max_pool2d, max_pool2d_backward),
    "avgPool2d": (avg_pool2d, avg_pool2d_backward),
    "globalAvgPool2d": (global_avg_pool2d, global_avg_pool2d_backward),
    "flatten": (flatten, flatten_backward),
    "softmax": (softmax, softmax_backward),
    "logSoftmax": (log_softmax, log_softmax_backward),
    "softmaxCrossEntropy": (softmax_cross_entropy, softmax_cross_entropy_backward),
    "meanSquaredError": (mean_squared_error, mean_squared_error_backward),
    "dropout": (dropout, dropout_backward),
    "batchNorm": (batch_norm, batch_norm_backward),
    "batchNormInference": (batch_norm_inference, batch_norm_inference_backward),
}
DTYPE = np.dtype(np.float32 if "--float32" in sys.argv else np.float64)


def read_tensor(message):
    return np.array(message["data"], DTYPE).reshape(message["shape"])  # NumPy reads "NaN", "-Infinity" and "-0" too


def write_tensor(x):
    x = np.asarray(x, DTYPE)
    data = x.ravel().tolist()
    for i in np.flatnonzero(~np.isfinite(x) | ((x == 0) & np.signbit(x))):  # what JSON has no number for
        data[i] = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "-0.0": "-0"}[str(data[i])]
    return {"shape": x.shape, "data": data}


def read_options(options):
    """ceilMode is ceil_mode here, and the border (top, bottom, left, right)."""
    snake = {re.sub("[A-Z]", lambda c: "_" + c[0].lower(), name): value for name, value in options.items()}
    if isinstance(snake.get("padding"), dict):
        snake["padding"] = [snake["padding"][side] for side in ("top", "bottom", "left", "right")]
    return snake


def run(message):
    forward, backward = LAYERS[message["layer"]]
    tensors = {**message["inputs"], **message.get("constants", {})}
    call = {**{name: read_tensor(t) for name, t in tensors.items()}, **read_options(message["options"])}
    y = forward(**call)  # backward, too, is refused whatever forward refuses
    if message["direction"] == "forward":
        return {"y": y}
    dy = read_tensor(message["dy"])
    sizes("dy", dy, *y.shape)
    return backward(dy, **call)


def answer(message):
    if message["cmd"] == "start":
        layers = {name: ["forward", "backward"] for name in LAYERS}
        about = {"name": "numpy", "language": "Python", "dtype": DTYPE.name, "layout": "NCHW"}
        return {"protocol": 1, **about, "layers": layers}
    try:
        outputs = run(message)
    except Exception as error:  # ours, or Python's own of an option that is missing or unknown
        return {"seq": message["seq"], "error": f"{message['layer']}: {error}"}
    return {"seq": message["seq"], "outputs": {name: write_tensor(x) for name, x in outputs.items()}}


def main():
    np.seterr(all="ignore")  # NaN and ∞ are results like others
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
