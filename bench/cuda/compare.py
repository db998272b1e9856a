"""This package's kernels on a GPU against torchvision, torch.compile and Triton, on one card in one run.

    cmake -S cpp -B build/gpu && cmake --build build/gpu --target focal_cuda_bench -j
    python3 bench/cuda/compare.py build/gpu/cuda/focal_cuda_bench bench/results/DATE-CARD.json [LOGITS...]

Every contestant computes loss and gradient of the same logits, made from their numbers as in ours.cpp. Sums are compared
before anything is timed. A time is the median of calls that are waited for, one after the other. Others get labels per logit,
ready made; this package also takes the class indices that these were made from.
"""
import json
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
import triton
import triton.language as tl

WARM, CALLS = 3, 21
ALPHA, GAMMA = 0.25, 2.0


def logits_of(rows, classes, dtype):
    numbers = torch.arange(rows * classes, device="cuda", dtype=torch.int64)
    hashed = (numbers * 2654435761) & 0xFFFFFFFF
    x = (hashed.double() / 4294967296.0 * 12 - 7).float()
    if dtype == torch.bfloat16:  # cut off, not rounded
        x = (x.view(torch.int32) & -65536).view(torch.float32)
    return x.to(dtype).view(rows, classes)


def classes_of(rows, classes, every):
    r = torch.arange(rows, device="cuda", dtype=torch.int64)
    return torch.where(r % every == 0, r * 7 % classes, torch.full_like(r, -1))


def one_hot(indices, classes, dtype):
    labels = torch.zeros(len(indices), classes, device="cuda", dtype=dtype)
    rows = torch.nonzero(indices >= 0).squeeze(1)
    labels[rows, indices[rows]] = 1
    return labels


def sigmoid_composed(x, y):
    """What torchvision.ops.sigmoid_focal_loss computes, of the same operations, for machines without torchvision."""
    p = torch.sigmoid(x)
    entropy = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    p_t = p * y + (1 - p) * (1 - y)
    return ((ALPHA * y + (1 - ALPHA) * (1 - y)) * entropy * (1 - p_t) ** GAMMA).sum()


def softmax_composed(x, indices):
    log_p = F.log_softmax(x, dim=-1).gather(1, indices.unsqueeze(1)).squeeze(1)
    return (-((1 - log_p.exp()) ** GAMMA) * log_p).sum()


def torchvision_or_composed():
    try:
        from torchvision.ops import sigmoid_focal_loss
    except ImportError:
        return "torch eager (torchvision's operations)", sigmoid_composed
    return "torchvision eager", lambda x, y: sigmoid_focal_loss(x, y, alpha=ALPHA, gamma=GAMMA, reduction="sum")


def with_backward(loss):
    def call(x, targets):
        x.grad = None
        value = loss(x, targets)
        value.backward()
        return value
    return call


@triton.jit
def sigmoid_kernel(x_at, y_at, grad_at, sums_at, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < n
    x = tl.load(x_at + at, mask=inside, other=0.0).to(tl.float32)
    y = tl.load(y_at + at, mask=inside, other=0.0).to(tl.float32)
    z = tl.where(y > 0.5, -x, x)
    weight = tl.where(y > 0.5, 0.25, 0.75)
    s = tl.sigmoid(z)
    softplus = tl.maximum(z, 0.0) + tl.log(1.0 + tl.exp(-tl.abs(z)))
    value = weight * s * s * softplus
    slope = weight * s * s * (2.0 * (1.0 - s) * softplus + s)
    tl.store(grad_at + at, tl.where(y > 0.5, -slope, slope).to(grad_at.dtype.element_ty), mask=inside)
    tl.store(sums_at + tl.program_id(0), tl.sum(tl.where(inside, value, 0.0), axis=0))


def triton_sigmoid(x, y):
    n, block = x.numel(), 2048
    programs = triton.cdiv(n, block)
    grad = torch.empty_like(x)
    sums = torch.empty(programs, device="cuda", dtype=torch.float32)
    sigmoid_kernel[(programs,)](x, y, grad, sums, n, BLOCK=block)
    return sums.double().sum()


@triton.jit
def softmax_kernel(x_at, index_at, grad_at, values_at, classes, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    c = tl.arange(0, BLOCK)
    inside = c < classes
    x = tl.load(x_at + row * classes + c, mask=inside, other=float("-inf")).to(tl.float32)
    target = tl.load(index_at + row)
    e = tl.exp(x - tl.max(x, axis=0))
    p = e / tl.sum(e, axis=0)
    p_t = tl.sum(tl.where(c == target, p, 0.0), axis=0)
    log_p = tl.log(p_t)
    q = 1.0 - p_t
    tl.store(values_at + row, -q * q * log_p)
    pull = q * (q - 2.0 * p_t * log_p)
    grad = pull * (p - tl.where(c == target, 1.0, 0.0))
    tl.store(grad_at + row * classes + c, grad.to(grad_at.dtype.element_ty), mask=inside)


def triton_softmax(x, indices):
    rows, classes = x.shape
    grad, values = torch.empty_like(x), torch.empty(rows, device="cuda", dtype=torch.float32)
    block = triton.next_power_of_2(classes)
    softmax_kernel[(rows,)](x, indices, grad, values, classes, BLOCK=block, num_warps=4 if block <= 1024 else 16)
    return values.double().sum()


def median_milliseconds(call):
    times = []
    for i in range(WARM + CALLS):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        call()
        torch.cuda.synchronize()
        if i >= WARM:
            times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)


def contestants(softmax):
    if softmax:
        return {"torch eager": with_backward(softmax_composed), "torch.compile": with_backward(torch.compile(softmax_composed)), "triton": triton_softmax}
    name, eager = torchvision_or_composed()
    return {name: with_backward(eager), "torch.compile": with_backward(torch.compile(sigmoid_composed)), "triton": triton_sigmoid}


def time_others(case):
    kind, shape, *rest = case["case"].split("-")
    softmax, dtype = kind == "softmax", torch.bfloat16 if case["case"].endswith("bfloat16") else torch.float32
    classes = int(shape) if softmax else 80
    rows = case["logits"] // classes
    x = logits_of(rows, classes, dtype).requires_grad_()
    indices = classes_of(rows, classes, 1 if softmax else 50)
    targets = indices if softmax else one_hot(indices, classes, dtype)
    times = {}
    for name, call in contestants(softmax).items():
        try:
            value = float(call(x, targets))
            # Half precision adds up in half precision elsewhere
            bound = 1e-3 if dtype == torch.float32 else 0.2
            if not abs(value - case["sum"]) < bound * case["sum"]:
                print(f"{case['case']}: {name} has the sum {value}; expected {case['sum']}: not timed", file=sys.stderr)
                continue
            times[name] = median_milliseconds(lambda: call(x, targets))
        except torch.OutOfMemoryError:
            print(f"{case['case']}: {name} runs out of memory", file=sys.stderr)
        x.grad = None
        torch.cuda.empty_cache()
    return times


def main(program, result, *sizes):
    lines = [json.loads(line) for line in subprocess.run([program, *sizes], check=True, capture_output=True, text=True).stdout.splitlines()]
    device, cases = lines[0], lines[1:]
    for case in cases:
        case["others"] = time_others(case)
        case["of_copy"] = case["copy"] / case["ours"]
        case["speed_up"] = {name: time / case["ours"] for name, time in case["others"].items()}
        against = ", ".join(f"{name} {ratio:.2f}x" for name, ratio in case["speed_up"].items())
        print(f"{case['case']:26} {case['logits']:>10} {case['ours']:9.4f} ms, {case['of_copy']:.2f} of the copy; {against}")
    with open(result, "w") as file:
        json.dump({**device, "torch": torch.__version__, "triton": triton.__version__, "cases": cases}, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
