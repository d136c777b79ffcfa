#!/usr/bin/env python3
"""Shows that a network goes from here to PyTorch and back: the names and layouts of its tensors are PyTorch's.

  python3 scripts/state-dict.py                                    golden/trained/lenet5.safetensors, in torch.nn
  python3 scripts/state-dict.py runs/mnistNet-0/checkpoint.safetensors --save again.safetensors
  npx tsx scripts/predict.ts digit.png --model again.safetensors   and back

Builds the same network of torch.nn, loads the file as its state dict, strictly, and reads the 500 test digits of golden/mnist with it.
--save writes state_dict() as .safetensors, and in it which model it is. Needs PyTorch and NumPy (Debian: python3-torch).
"""
import argparse
import gzip
import json
import struct
from collections import OrderedDict
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "golden"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("file", nargs="?", default=GOLDEN / "trained" / "lenet5.safetensors", metavar="FILE")
parser.add_argument("--save", metavar="FILE")
arguments = parser.parse_args()
try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as error:
    parser.error(f"{error.name} is not installed, expected PyTorch and NumPy (Debian: python3-torch)")

# src/models/lenet5.ts and src/models/mnistNet.ts
MODELS = {
    "lenet5": lambda: nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 6, 5, padding=2), act1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(6, 16, 5), act2=nn.ReLU(), pool2=nn.MaxPool2d(2), flatten=nn.Flatten(),
        fc1=nn.Linear(400, 120), act3=nn.ReLU(), fc2=nn.Linear(120, 84), act4=nn.ReLU(), fc3=nn.Linear(84, 10),
    )),
    "mnistNet": lambda: nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 32, 3, padding=1), act1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(32, 64, 3, padding=1), act2=nn.ReLU(), pool2=nn.MaxPool2d(2), flatten=nn.Flatten(),
        fc1=nn.Linear(3136, 128), act3=nn.ReLU(), fc2=nn.Linear(128, 10),
    )),
}


def read(path):
    """The tensors of a .safetensors file, and the name of its model; what an optimizer remembers is left out."""
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    model = header.pop("__metadata__")["model"]
    kinds = {"F32": "<f4", "F64": "<f8"}
    return model, {
        name: torch.from_numpy(np.frombuffer(body[slice(*at["data_offsets"])], kinds[at["dtype"]]).reshape(at["shape"]).copy())
        for name, at in header.items()
        if not name.startswith("optimizer.")
    }


def write(path, model, tensors):
    header, body = {"__metadata__": {"model": model}}, b""  # lenet5 and lenet5-1998 have the same tensors
    for name, tensor in tensors.items():
        part = tensor.detach().float().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(part)]}
        body += part
    text = json.dumps(header).encode()
    part = Path(f"{path}.part")
    part.write_bytes(struct.pack("<Q", len(text)) + text + body)
    part.replace(path)


def test_digits():
    unpacked = lambda name: gzip.decompress((GOLDEN / "mnist" / f"t10k-{name}-ubyte.gz").read_bytes())
    images = np.frombuffer(unpacked("images-idx3")[16:], np.uint8).reshape(-1, 1, 28, 28)
    labels = np.frombuffer(unpacked("labels-idx1")[8:], np.uint8)
    pixels = (images / 255 - 0.1307) / 0.3081  # as both networks take them
    return torch.from_numpy(pixels).float(), torch.from_numpy(labels.astype(np.int64))


try:
    name, tensors = read(arguments.file)
except (OSError, KeyError, ValueError, TypeError, AttributeError, struct.error) as error:
    parser.error(f"{arguments.file} cannot be read: {error!r}, expected a .safetensors file with model in its metadata")
if name not in MODELS:
    parser.error(f"{arguments.file} is a {name}, expected one of {', '.join(MODELS)}")
network = MODELS[name]()
try:
    network.load_state_dict(tensors, strict=True)
except RuntimeError as error:
    parser.error(f"{arguments.file} is no {name}: {' '.join(str(error).split())}")
images, labels = test_digits()
with torch.no_grad():
    logits = network.eval()(images)
right = int((logits.argmax(1) == labels).sum())
print(f"{name} in PyTorch {torch.__version__} reads {right} of {len(labels)} test digits right")
print("logits of the first one:", " ".join(f"{value:.4f}" for value in logits[0]))
if arguments.save:
    write(arguments.save, name, network.state_dict())
    print(arguments.save)
