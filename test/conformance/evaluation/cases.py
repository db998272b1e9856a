"""Writes cases.json: more figures of scikit-learn, which test/analysis/evaluate/sklearn_cases.test.ts compares with: weights, absent classes, masks, several classes.

Made with scikit-learn 1.2.1 and NumPy 1.24.2 (Debian's python3-sklearn): python3 test/conformance/evaluation/cases.py > test/conformance/evaluation/cases.json
"""
import json
import numpy as np
import sklearn
from make import sigmoid
from sklearn import metrics

random = np.random.default_rng(29)
BINS = 10


def calibration_error(y, p, w):
    """Expected calibration error by weight, over bins of equal width that are closed on the right, as calibration_curve's."""
    at = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], p)
    return float(sum(abs(np.sum(w[at == b] * (y[at == b] - p[at == b]))) for b in range(BINS)) / w.sum())


def figures(y, p, w):
    both = 0 < y.sum() < len(y)
    return {
        "averagePrecision": metrics.average_precision_score(y, p, sample_weight=w) if y.any() else None,
        "rocAuc": metrics.roc_auc_score(y, p, sample_weight=w) if both else None,
        "brier": metrics.brier_score_loss(y, p, sample_weight=w, pos_label=1),
        "logLoss": metrics.log_loss(y, p, sample_weight=w, labels=[0, 1]),
        "calibrationError": calibration_error(y, p, w),
        "rate": float(np.average(y, weights=w)),
    }


def numbers(array):
    return [float(each) for each in array.ravel()]


def binary(name, y, w=None, mask=None):
    n = len(y)
    x = (np.round((random.normal(size=n) + 1.5 * y - 1) * 4) / 4).astype(np.float32)
    weights = np.ones(n) if w is None else w
    kept = np.ones(n, bool) if mask is None else mask.astype(bool)
    kept &= weights > 0
    return {
        "name": name,
        "logits": numbers(x),
        "targets": y.tolist(),
        "weights": None if w is None else numbers(w),
        "mask": None if mask is None else mask.tolist(),
        "raw": figures(y[kept], sigmoid(x[kept]), weights[kept]),
    }


def several(w=None):
    n = 120
    y = (random.random((n, 4)) < [0.1, 0.3, 0.5, 0.0]).astype(int)
    x = (np.round((random.normal(size=y.shape) + 1.5 * y - 1) * 8) / 8).astype(np.float32)
    p = sigmoid(x)
    weights = np.ones(n) if w is None else w
    of = [figures(y[:, c], p[:, c], weights) for c in range(4)]
    return {
        "name": "four labels, one without positives" + ("" if w is None else ", rows with weights"),
        "logits": numbers(x),
        "targets": y.ravel().tolist(),
        "weights": None if w is None else numbers(w),
        "classes": of,
        "pooled": figures(y.ravel(), p.ravel(), np.repeat(weights, 4)),
        "macro": {name: float(np.mean([each[name] for each in of if each[name] is not None])) for name in ["averagePrecision", "rocAuc", "brier", "logLoss", "calibrationError"]},
    }


def softmax(w=None):
    n = 200
    y = random.integers(0, 3, n)
    x = random.normal(size=(n, 4))
    x[np.arange(n), y] += 1.5
    x = (np.round(x * 8) / 8).astype(np.float32)
    p = np.exp(x.astype(np.float64))
    # Rows of the same logits in another order are ties
    p = np.round(p / p.sum(axis=1, keepdims=True), 13)
    weights = np.ones(n) if w is None else w
    hot = np.eye(4)[y].astype(int)
    right = (p.argmax(axis=1) == y).astype(int)
    return {
        "name": "softmax of four classes, one of which never comes" + ("" if w is None else ", with weights"),
        "logits": numbers(x),
        "targets": y.tolist(),
        "weights": None if w is None else numbers(w),
        "classes": [figures(hot[:, c], p[:, c], weights) for c in range(4)],
        "top": {
            "rate": metrics.accuracy_score(y, p.argmax(axis=1), sample_weight=weights),
            "logLoss": metrics.log_loss(y, p, sample_weight=weights, labels=[0, 1, 2, 3]),
            "brier": float(np.average(((p - hot) ** 2).sum(axis=1), weights=weights)),
            "averagePrecision": metrics.average_precision_score(right, p.max(axis=1), sample_weight=weights),
            "rocAuc": metrics.roc_auc_score(right, p.max(axis=1), sample_weight=weights),
            "calibrationError": calibration_error(right, p.max(axis=1), weights),
        },
    }


def labels(n, rate):
    return (random.random(n) < rate).astype(int)


if __name__ == "__main__":
    weights = np.round(random.random(200) * 3, 2)
    some_without = np.where(random.random(200) < 0.3, 0, weights)
    print(
        json.dumps(
            {
                "about": f"Figures of scikit-learn {sklearn.__version__}, written by cases.py beside this file; {BINS} bins; null where a figure is not defined",
                "bins": BINS,
                "binary": [
                    binary("weights, ties", labels(200, 0.3), weights),
                    binary("weights, some of them 0", labels(200, 0.3), some_without),
                    binary("a mask", labels(200, 0.3), None, labels(200, 0.7)),
                    binary("a mask and weights", labels(200, 0.3), weights, labels(200, 0.7)),
                    binary("no positives", labels(60, 0.0)),
                    binary("no negatives", labels(60, 1.1)),
                    binary("no positives, with weights", labels(200, 0.0), weights),
                ],
                "several": [several(), several(np.round(random.random(120) * 3, 2))],
                "softmax": [softmax(), softmax(weights)],
            }
        )
    )
