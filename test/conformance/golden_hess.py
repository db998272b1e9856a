#!/usr/bin/env python3
"""Adds second derivatives to golden.json: `python3 test/conformance/golden_hess.py` (Debian: python3-mpmath).

`hess` of the softmax cases, and `meanHess` of all: what `curvature: 'expected'` is, the second derivative averaged over the
posterior at which the gradient's average is 0, and at least 0.

Second differences of the loss as it is defined, at 160 digits with steps of 1e-45: right to more than 60 digits, and made of
no formula of a derivative. Values and gradients that are there already are checked on the way.
"""
import json
import pathlib

from mpmath import exp, fsum, log, lu_solve, matrix, mp, mpf

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


def labels_of(case, row):
    classes, targets = case['shape'][1], case['targets']
    if len(targets) == case['shape'][0]:
        return [mpf(targets[row] == c) for c in range(classes)]
    return [mpf(y) for y in targets[row * classes:(row + 1) * classes]]


def amounts_of(case, labels):
    classes, options = case['shape'][1], case['options']
    smoothing = mpf(options.get('labelSmoothing', 0))
    weights = options.get('classWeights', [1] * classes)
    return [(y * (1 - smoothing) + smoothing / classes) * mpf(w) for y, w in zip(labels, weights)]


def check(found, stored, what):
    # Soft labels are stored as they were rounded, their sums of terms are not
    assert abs(found - mpf(stored)) <= mpf(10) ** -13 * (1 + abs(found)), (what, found, stored)


def posterior(case, x, gamma):
    """Shares of the classes, of sum 1, at which the gradients of their losses cancel; none is below 0."""
    classes = len(x)
    one = [amounts_of(case, [mpf(c == label) for c in range(classes)]) for label in range(classes)]
    slopes = matrix(classes, classes)
    for label in range(classes):
        for at in range(classes):
            slopes[at, label] = derivatives(lambda y: softmax_loss(y, one[label], gamma), x, at)[0]
    # The gradient of a row sums to 0: one equation says nothing new, and gives way to the sum of the shares
    right = matrix(classes, 1)
    for label in range(classes):
        slopes[classes - 1, label] = 1
    right[classes - 1] = 1
    shares = [max(mpf(0), each) for each in lu_solve(slopes, right)]
    return [each / fsum(shares) for each in shares]


def softmax_hess(case):
    rows, classes = case['shape']
    gamma = mpf(case['options'].get('gamma', 0))
    hess, mean = [], []
    for row in range(rows):
        x = [mpf(each) for each in case['logits'][row * classes:(row + 1) * classes]]
        amounts = amounts_of(case, labels_of(case, row))
        averaged = amounts_of(case, posterior(case, x, gamma))
        loss = lambda at: softmax_loss(at, amounts, gamma)
        check(loss(x), case['expected']['value'][row], 'value')
        for c in range(classes):
            first, second = derivatives(loss, x, c)
            check(first, case['expected']['grad'][row * classes + c], 'grad')
            hess.append(float(second))
            mean.append(max(0.0, float(derivatives(lambda at: softmax_loss(at, averaged, gamma), x, c)[1])))
    return hess, mean


def sigmoid(x):
    return 1 / (1 + exp(-x))


def softplus(x):
    # Where it is all but 0, too
    return log(1 + exp(x)) if x > -300 else exp(x)


def focal(x, gamma):
    """A negative: p^gamma (-log(1 - p))"""
    return sigmoid(x) ** gamma * softplus(x)


def shifted(x, gamma, margin):
    p = sigmoid(x) - margin
    return mpf(0) if p <= 0 else p ** gamma * -log(1 - p)


def element(case, x, y):
    """The loss of one logit."""
    name, o = case['loss'], {key: mpf(value) for key, value in case['options'].items() if isinstance(value, (int, float)) and not isinstance(value, bool)}
    alpha = o.get('alpha')
    smoothing = o.get('labelSmoothing', 0)
    y = y * (1 - smoothing) + mpf(smoothing) / 2
    cross_entropy = y * softplus(-x) + (1 - y) * softplus(x)
    positive, negative = (1, 1) if alpha is None else (1, alpha) if name == 'VarifocalLoss' else (alpha, 1 - alpha)
    if name == 'SigmoidFocalLoss':
        if case['options'].get('softTargets') == 'mixture':
            return y * positive * focal(-x, o['gamma']) + (1 - y) * negative * focal(x, o['gamma'])
        q = y * sigmoid(-x) + (1 - y) * sigmoid(x)
        return (y * positive + (1 - y) * negative) * q ** o['gamma'] * cross_entropy
    if name == 'FocalStarLoss':
        return (y * softplus(-o['gamma'] * x - o['beta']) + (1 - y) * softplus(o['gamma'] * x - o['beta'])) / o['gamma']
    if name == 'QualityFocalLoss':
        # The distance from both sides, so that neither end loses its digits
        return abs(y * sigmoid(-x) - (1 - y) * sigmoid(x)) ** o['beta'] * cross_entropy
    if name == 'VarifocalLoss':
        return y * cross_entropy if y > 0 else negative * focal(x, o['gamma'])
    if name == 'HeatmapFocalLoss':
        return focal(-x, o['gamma']) if y == 1 else (1 - y) ** o['beta'] * focal(x, o['gamma'])
    return y * focal(-x, o['gammaPositive']) + (1 - y) * shifted(x, o['gammaNegative'], o.get('margin', mpf(0)))


def element_mean(case):
    mean = []
    for k, logit in enumerate(case['logits']):
        x = [mpf(logit)]
        check(element(case, x[0], mpf(case['targets'][k])), case['expected']['value'][k], (case['loss'], case['options'], logit))
        (down, below), (up, above) = [derivatives(lambda at: element(case, at[0], mpf(y)), x, 0) for y in (0, 1)]
        # Smoothed labels leave no posterior beyond them: it is that of the nearest
        share = min(mpf(1), max(mpf(0), down / (down - up))) if down != up else mpf(0)
        mean.append(max(0.0, float(share * above + (1 - share) * below)))
    return mean


if __name__ == '__main__':
    golden = json.loads(FILE.read_text())
    for case in golden['cases']:
        if case['loss'] == 'SoftmaxFocalLoss':
            case['expected']['hess'], case['expected']['meanHess'] = softmax_hess(case)
        else:
            case['expected']['meanHess'] = element_mean(case)
    FILE.write_text(json.dumps(golden))
