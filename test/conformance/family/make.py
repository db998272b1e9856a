"""Writes golden.json: values and derivatives of 60 digits, from the definitions alone, that test/losses compares with.

Made with mpmath 1.3.0 (Debian's python3-mpmath): python3 test/conformance/family/make.py > test/conformance/family/golden.json
`terms` is what a derivative is made of before its parts cancel: errors are relative to it.
"""
import json
import random

import mpmath as mp
import numpy as np

mp.mp.dps = 60
random.seed(5)


def logits_of(count, spread):
    return [float(np.float32(random.uniform(-spread, spread))) for _ in range(count)]


def numbers(values):
    return [float(value) for value in values]


def softmax(row):
    top = max(row)
    e = [mp.exp(mp.mpf(x) - top) for x in row]
    return [each / sum(e) for each in e]


def distribution(row, position):
    """Generalized focal loss, equation 6."""
    i = min(int(mp.floor(position)), len(row) - 2)
    p = softmax(row)
    shares = [mp.mpf(0)] * len(row)
    shares[i], shares[i + 1] = i + 1 - mp.mpf(position), mp.mpf(position) - i
    value = sum(-share * mp.log(each) for share, each in zip(shares, p) if share)
    return value, [a - b for a, b in zip(p, shares)], [a + b for a, b in zip(p, shares)]


def distribution_cases():
    for classes, spread in ((2, 3), (5, 3), (17, 8), (17, 60)):
        rows = [logits_of(classes, spread) for _ in range(6)]
        last = classes - 1
        positions = [0.0, float(last), 0.5, last - 2**-20, *(random.uniform(0, last) for _ in range(2))]
        results = [distribution(row, y) for row, y in zip(rows, positions)]
        yield {
            "loss": "DistributionFocalLoss", "options": {}, "shape": [len(rows), classes], "logits": sum(rows, []), "targets": positions,
            "expected": {"value": numbers(value for value, _, _ in results), "grad": numbers(each for _, grad, _ in results for each in grad)},
            "terms": {"grad": numbers(each for _, _, terms in results for each in terms)},
        }


print(json.dumps({"cases": [*distribution_cases()]}))
