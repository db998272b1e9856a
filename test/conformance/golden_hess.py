#!/usr/bin/env python3
"""Adds the second derivatives of softmax cases to golden.json: `python3 test/conformance/golden_hess.py` (Debian: python3-mpmath).

Second differences of the loss as it is defined, at 160 digits with steps of 1e-45: right to more than 60 digits, and made of
no formula of a derivative. Values and gradients that are there already are checked on the way.
"""
import json
import pathlib

from mpmath import exp, fsum, log, mp, mpf

mp.dps = 160
STEP = mpf(10) ** -45
FILE = pathlib.Path(__file__).parent / 'golden.json'


def softmax_loss(x, amounts, gamma):
    """sum_c a_c (1 - p_c)^gamma (-log p_c)"""
    top = max(x)
    e = [exp(each - top) for each in x]
    whole = fsum(e)
    total = mpf(0)
    for c, amount in enumerate(amounts):
        if amount == 0:
            continue
        others = fsum(e[:c] + e[c + 1:])
        q = others / whole
        total += amount * q ** gamma * (log(whole) + top - x[c])
    return total


def derivatives(loss, x, at):
    """First and second derivative of loss(x) by x[at]."""
    def moved(distance):
        return loss(x[:at] + [x[at] + distance] + x[at + 1:])
    below, middle, above = moved(-STEP), moved(mpf(0)), moved(STEP)
    return (above - below) / (2 * STEP), (above - 2 * middle + below) / STEP ** 2


def amounts_of(case, row):
    classes = case['shape'][1]
    options, targets = case['options'], case['targets']
    smoothing = mpf(options.get('labelSmoothing', 0))
    weights = options.get('classWeights', [1] * classes)
    labels = [mpf(targets[row] == c) for c in range(classes)] if len(targets) == case['shape'][0] else [mpf(y) for y in targets[row * classes:(row + 1) * classes]]
    return [(y * (1 - smoothing) + smoothing / classes) * mpf(w) for y, w in zip(labels, weights)]


def check(found, stored, what):
    # Soft labels are stored as they were rounded, their sums of terms are not
    assert abs(found - mpf(stored)) <= mpf(10) ** -13 * (1 + abs(found)), (what, found, stored)


def softmax_hess(case):
    rows, classes = case['shape']
    gamma = mpf(case['options'].get('gamma', 0))
    hess = []
    for row in range(rows):
        x = [mpf(each) for each in case['logits'][row * classes:(row + 1) * classes]]
        amounts = amounts_of(case, row)
        loss = lambda at: softmax_loss(at, amounts, gamma)
        check(loss(x), case['expected']['value'][row], 'value')
        for c in range(classes):
            first, second = derivatives(loss, x, c)
            check(first, case['expected']['grad'][row * classes + c], 'grad')
            hess.append(float(second))
    return hess


if __name__ == '__main__':
    golden = json.loads(FILE.read_text())
    for case in golden['cases']:
        if case['loss'] == 'SoftmaxFocalLoss':
            case['expected']['hess'] = softmax_hess(case)
    FILE.write_text(json.dumps(golden))
