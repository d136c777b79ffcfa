"""The networks of `npm run bench` in PyTorch: the peer. It reads a line of JSON for each burst, and answers with one.

    {"work": "M2", "threads": 2, "seconds": 0.5}  ->  {"images": 1024, "seconds": 0.51, "cpuSeconds": 0.98}

A burst begins with the first weights; the pictures are random bytes, as large as the ones that the others see.
"""

import copy
import json
import os
import sys
import time

os.environ["GOMP_SPINCOUNT"] = "0"  # else its two pools of threads wait for each other by spinning

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, c, o, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c, o, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        same = stride == 1 and c == o
        self.downsample = None if same else nn.Sequential(nn.Conv2d(c, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def resnet18():
    widths = [64, 64, 128, 256, 512]
    stages = [Block(widths[i], widths[i + 1], 1 if i == 0 else 2) for i in range(4)]
    stages = [layer for i, first in enumerate(stages) for layer in (first, Block(widths[i + 1], widths[i + 1], 1))]
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 3))


def page3():
    head = [nn.Flatten(), nn.Linear(1352, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), *head)


def mnist_net():
    convolutions = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    convolutions += [nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))


def tanh_avg():
    head = [nn.Flatten(), nn.Linear(3456, 32), nn.Tanh(), nn.Linear(32, 10)]
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.Tanh(), nn.AvgPool2d(3, 1), *head)


def sgd(**options):
    return lambda parameters: torch.optim.SGD(parameters, **options)


WORKS = {
    "M1": (page3, (1, 28, 28), 16, 10, sgd(lr=0.005)),
    "M2": (mnist_net, (1, 28, 28), 64, 10, lambda parameters: torch.optim.Adam(parameters, lr=0.001)),
    "M3": (tanh_avg, (1, 28, 28), 32, 10, sgd(lr=0.01)),
    "M4/64": (resnet18, (3, 64, 64), 8, 3, sgd(lr=0.01, momentum=0.9)),
    "M4/224": (resnet18, (3, 224, 224), 8, 3, sgd(lr=0.01, momentum=0.9)),
}
models = {}


def digits(path, shape):
    """The training pictures of an IDX file, which the command line may name."""
    pixels = torch.frombuffer(bytearray(open(path, "rb").read()[16:]), dtype=torch.uint8)
    return pixels.reshape(-1, *shape)


def burst(work, threads, seconds, images):
    make, shape, batch, classes, optimizer = WORKS[work]
    torch.set_num_threads(threads)
    if work not in models:
        torch.manual_seed(0)
        model = make()
        models[work] = (model, copy.deepcopy(model.state_dict()))
    model, first = models[work]
    model.load_state_dict(first)
    step = optimizer(model.parameters())
    bytes_, labels = images[shape]
    done, at = 0, 0
    began, cpu = time.perf_counter(), time.process_time()
    while True:
        x = (bytes_[at : at + batch].float() / 255 - 0.1307) / 0.3081
        loss = F.cross_entropy(model(x), labels[at : at + batch] % classes)
        step.zero_grad()
        loss.backward()
        step.step()
        done += batch
        at = (at + batch) % (len(labels) - batch + 1)
        took = time.perf_counter() - began
        if took >= seconds:
            return {"images": done, "seconds": took, "cpuSeconds": time.process_time() - cpu}


def blas():
    """Which library multiplies its matrices: with the reference BLAS it is several times slower than it could be."""
    if "BLAS_INFO=mkl" in torch.__config__.show():
        return "MKL"
    loaded = open("/proc/self/maps").read() if os.path.exists("/proc/self/maps") else ""
    known = {"openblas": "OpenBLAS", "libblis": "BLIS", "libmkl": "MKL", "/libblas.so": "the reference BLAS"}
    return next((name for file, name in known.items() if file in loaded), "a BLAS it does not name")


def main():
    folder = sys.argv[1]
    pixels = digits(f"{folder}/train-images-idx3-ubyte", (1, 28, 28))
    labels = torch.frombuffer(bytearray(open(f"{folder}/train-labels-idx1-ubyte", "rb").read()[8:]), dtype=torch.uint8)
    images = {(1, 28, 28): (pixels, labels.long())}
    for side in (64, 224):
        images[(3, side, side)] = (torch.randint(0, 256, (16, 3, side, side), dtype=torch.uint8), torch.arange(16))
    print(json.dumps({"version": f"{torch.__version__} with {blas()}"}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(burst(asked["work"], asked["threads"], asked["seconds"], images)), flush=True)


main()
