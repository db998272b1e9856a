"""torchvision's sigmoid focal loss, forward and backward, timed here because calls from another process would cost more.

Reads one JSON request a line from standard input and answers with one JSON line:
  {"logits": FILE, "targets": FILE, "classes": C, "grad": FILE}   -> {"sum": S}, and the gradient in FILE
  {"seconds": T}                                                  -> {"sample": [seconds per call, ...]}
The first line out is {"versions": "..."}.
"""
import json
import sys
import time

import numpy
import torch
import torchvision
from torchvision.ops import sigmoid_focal_loss

SAMPLE_SECONDS = 0.02
LEAST_SAMPLES = 2


def answer(message):
    print(json.dumps(message), flush=True)


def load(file, classes):
    return torch.from_numpy(numpy.fromfile(file, dtype=numpy.float32)).reshape(-1, classes)


def timed(call, calls):
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return time.perf_counter() - start


def take_sample(call, seconds):
    end = time.perf_counter() + seconds
    calls = 1
    while timed(call, calls) < SAMPLE_SECONDS:
        calls *= 2
    sample = []
    while len(sample) < LEAST_SAMPLES or time.perf_counter() < end:
        sample.append(timed(call, calls) / calls)
    return sample


def main():
    torch.set_num_threads(int(sys.argv[1]))
    answer({"versions": f"torch {torch.__version__}, torchvision {torchvision.__version__}"})
    logits = targets = None

    def call():
        logits.grad = None
        loss = sigmoid_focal_loss(logits, targets, alpha=0.25, gamma=2, reduction="sum")
        loss.backward()
        return loss.item()

    for line in sys.stdin:
        request = json.loads(line)
        if "seconds" in request:
            answer({"sample": take_sample(call, request["seconds"])})
        else:
            logits = load(request["logits"], request["classes"]).requires_grad_()
            targets = load(request["targets"], request["classes"])
            total = call()
            logits.grad.numpy().tofile(request["grad"])
            answer({"sum": total})


main()
