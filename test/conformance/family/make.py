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


def softplus(x):
    return mp.log1p(mp.exp(x))


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def entropy(x, y):
    return y * softplus(-x) + (1 - y) * softplus(x)


def sigmoid_focal(x, y, gamma, weight, smoothing):
    """Modulating factor of y, cross entropy of the smoothed label: apex, and with gamma of the class equalized focal loss."""
    missing = y * sigmoid(-x) + (1 - y) * sigmoid(x)
    return weight * missing**gamma * entropy(x, y * (1 - smoothing) + smoothing / 2)


def varifocal(x, y, at):
    """RT-DETR: the weight is that of the logit `at`, which is not differentiated by."""
    return (y if y > 0 else mp.mpf("0.75") * sigmoid(at) ** 2) * entropy(x, y)


def quality(x, y, at):
    return abs(y - sigmoid(at)) ** mp.mpf("1.5") * entropy(x, y)


def element_case(loss, options, shape, logits, targets, value, of_derivatives):
    """Derivatives by differences of 60 digits: `of_derivatives(k)` is the function of logit k whose derivatives are meant."""
    points = [(mp.mpf(x), mp.mpf(y)) for x, y in zip(logits, targets)]
    derivatives = [[mp.diff(of_derivatives(k, x, y), x, n) for n in (1, 2)] for k, (x, y) in enumerate(points)]
    expected = {"value": numbers(value(k, x, y) for k, (x, y) in enumerate(points)), "grad": numbers(d for d, _ in derivatives), "hess": numbers(d for _, d in derivatives)}
    # Where a derivative passes through zero it is made of about as much as the loss
    sizes = numbers(abs(v) * 6 + abs(d) for v, d in zip(expected["value"], expected["grad"]))
    return {"loss": loss, "options": options, "shape": shape, "logits": logits, "targets": targets, "expected": expected, "terms": {"grad": sizes, "hess": [6 * s + abs(h) for s, h in zip(sizes, expected["hess"])]}}


def element_cases():
    gammas = [0, 0.5, 2, 3.7]
    for smoothing in (0, 0.25):
        for soft in (False, True):
            logits, targets = logits_of(24, 12), [random.choice([0.0, 1.0, random.random()]) if soft else float(k % 3 == 0) for k in range(24)]
            options = {"gamma": gammas, "alpha": 0.25, "labelSmoothing": smoothing, "labelSmoothingOf": "cross-entropy"}
            def of(k, x, y, smoothing=smoothing):
                weight = (y + 3 * (1 - y)) / 4
                return lambda at: sigmoid_focal(at, y, mp.mpf(gammas[k % 4]), weight, mp.mpf(smoothing))
            yield element_case("SigmoidFocalLoss", options, [6, 4], logits, targets, lambda k, x, y: of(k, x, y)(x), of)
    logits, targets = logits_of(24, 12), [random.choice([0.0, 0.0, 1.0, random.random()]) for _ in range(24)]
    for name, options, loss in (("VarifocalLoss", {"gamma": 2, "alpha": 0.75}, varifocal), ("QualityFocalLoss", {"beta": 1.5}, quality)):
        def of(k, x, y, loss=loss):
            return lambda at: loss(at, y, x)
        yield element_case(name, {**options, "constantModulator": True}, [24], logits, targets, lambda k, x, y: of(k, x, y)(x), of)


def row_case(loss, options, rows, targets, terms):
    """A row's value is the sum of terms a_c m_c(p_c) (-log p_c): `terms(c, target, p)` gives the term of a class and its derivative by log p, negated."""
    values, grads, sizes = [], [], []
    for row, target in zip(rows, targets):
        p = softmax(row)
        parts = [terms(c, target, each, len(row)) for c, each in enumerate(p)]
        values.append(sum(value for value, _ in parts))
        for j, each in enumerate(p):
            others = [pull for c, (_, pull) in enumerate(parts) if c != j]
            rest = mp.fsum(q for c, q in enumerate(p) if c != j)
            grads.append(each * mp.fsum(others) - rest * parts[j][1])
            sizes.append(each * mp.fsum(abs(pull) for pull in others) + rest * abs(parts[j][1]))
    return {"loss": loss, "options": options, "shape": [len(rows), len(rows[0])], "logits": sum(rows, []), "targets": targets, "expected": {"value": numbers(values), "grad": numbers(grads)}, "terms": {"grad": numbers(sizes)}}


def focal_term(p, gamma, amount):
    nll, q = -mp.log(p), 1 - p
    return amount * q**gamma * nll, amount * (q**gamma + gamma * q ** (gamma - 1) * p * nll)


def row_cases():
    for classes, spread in ((2, 3), (5, 4), (30, 40)):
        rows, targets = [logits_of(classes, spread) for _ in range(6)], [k * 7 % classes for k in range(6)]
        gammas = [0.5 * (c % 9) for c in range(classes)]
        yield row_case("SoftmaxFocalLoss", {"gamma": gammas}, rows, targets, lambda c, t, p, n: focal_term(p, mp.mpf(gammas[c]), mp.mpf(c == t)))
        for positive, negative, smoothing in ((0, 4, 0.1), (1.5, 0.5, 0.3), (2, 0, 0.2), (2, 4, 0)):
            def term(c, t, p, n, positive=positive, negative=negative, smoothing=smoothing):
                share = mp.mpf(smoothing) / n
                if c == t:
                    return focal_term(p, mp.mpf(positive), 1 - mp.mpf(smoothing) + share)
                return share * p**negative * -mp.log(p), share * p**negative * (1 + negative * mp.log(p))
            yield row_case("AsymmetricSoftmaxLoss", {"gammaPositive": positive, "gammaNegative": negative, "labelSmoothing": smoothing}, rows, targets, term)


print(json.dumps({"cases": [*distribution_cases(), *element_cases(), *row_cases()]}))
