"""Writes sklearn.json: figures of scikit-learn's own functions, which test/analysis/evaluate compares with.

Made with scikit-learn 1.2.1 and NumPy 1.24.2 (Debian's python3-sklearn): python3 test/conformance/evaluation/make.py > test/conformance/evaluation/sklearn.json
"""
import json
import numpy as np
import sklearn
from sklearn import metrics
from sklearn.calibration import calibration_curve

random = np.random.default_rng(17)
BINS = 10


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def posterior(p, alpha, gamma):
    """The inverse of the focal loss, docs/semantics.md."""
    a = alpha * (1 - p) ** gamma * (1 - p - gamma * p * np.log(p))
    b = (1 - alpha) * p**gamma * (p - gamma * (1 - p) * np.log1p(-p))
    return b / (a + b)


def calibration(y, p, strategy):
    rate, mean = calibration_curve(y, p, n_bins=BINS, strategy=strategy)
    edges = np.linspace(0, 1, BINS + 1) if strategy == "uniform" else np.percentile(p, np.linspace(0, 1, BINS + 1) * 100)
    counts = np.bincount(np.searchsorted(edges[1:-1], p), minlength=BINS)
    counts = counts[counts > 0]
    return {"rate": rate.tolist(), "mean": mean.tolist(), "counts": counts.tolist(), "error": float(np.sum(counts * np.abs(rate - mean)) / len(p))}


def figures(y, p, w=None):
    precision, recall, thresholds = metrics.precision_recall_curve(y, p, sample_weight=w)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    fpr, tpr, _ = metrics.roc_curve(y, p, sample_weight=w, drop_intermediate=False)
    best = len(f1) - 1 - int(np.argmax(f1[::-1]))
    found = {
        "averagePrecision": metrics.average_precision_score(y, p, sample_weight=w),
        "rocAuc": metrics.roc_auc_score(y, p, sample_weight=w),
        "brier": metrics.brier_score_loss(y, p, sample_weight=w),
        "logLoss": metrics.log_loss(y, p, sample_weight=w),
        "bestF1": {"f1": f1[best], "precision": precision[best], "recall": recall[best], "probability": thresholds[best]},
        "precisionRecall": [precision.tolist(), recall.tolist()],
        "roc": [fpr.tolist(), tpr.tolist()],
    }
    if w is None:
        found["uniform"] = calibration(y, p, "uniform")
        found["quantile"] = calibration(y, p, "quantile")
    return found


def case(name, x, y, w=None):
    p = sigmoid(x)
    return {
        "name": name,
        "logits": [float(each) for each in x],
        "targets": y.tolist(),
        "weights": None if w is None else [float(each) for each in w],
        "raw": figures(y, p, w),
        "recalibrated": figures(y, posterior(p, 0.25, 2), w),
    }


def binary(n, ties, shift):
    y = (random.random(n) < 0.2).astype(int)
    x = random.normal(size=n) * 1.5 + 2 * y + shift
    return (np.round(x * 4) / 4 if ties else x).astype(np.float32), y


def several():
    y = (random.random((150, 3)) < [0.1, 0.3, 0.5]).astype(int)
    x = (np.round((random.normal(size=y.shape) + 1.5 * y - 1) * 8) / 8).astype(np.float32)
    p = sigmoid(x)
    return {
        "logits": [float(each) for each in x.ravel()],
        "targets": y.ravel().tolist(),
        "micro": {"averagePrecision": metrics.average_precision_score(y, p, average="micro"), "rocAuc": metrics.roc_auc_score(y, p, average="micro")},
        "macro": {"averagePrecision": metrics.average_precision_score(y, p, average="macro"), "rocAuc": metrics.roc_auc_score(y, p, average="macro")},
    }


def softmax():
    y = random.integers(0, 4, 250)
    x = random.normal(size=(250, 4))
    x[np.arange(250), y] += 1.5
    x = (np.round(x * 8) / 8).astype(np.float32)
    p = np.exp(x.astype(np.float64))
    # Rows of the same logits in another order are ties
    p = np.round(p / p.sum(axis=1, keepdims=True), 13)
    hot = np.eye(4)[y]
    right = (p.argmax(axis=1) == y).astype(int)
    return {
        "logits": [float(each) for each in x.ravel()],
        "targets": y.tolist(),
        "accuracy": metrics.accuracy_score(y, p.argmax(axis=1)),
        "logLoss": metrics.log_loss(y, p),
        "brier": float(((p - hot) ** 2).sum(axis=1).mean()),
        "calibrationError": calibration(right, p.max(axis=1), "uniform")["error"],
        "macro": {"averagePrecision": metrics.average_precision_score(hot, p, average="macro"), "rocAuc": metrics.roc_auc_score(y, p, multi_class="ovr")},
    }


if __name__ == "__main__":
    x, y = binary(300, True, -1)
    print(
        json.dumps(
            {
                "about": f"Figures of scikit-learn {sklearn.__version__}, written by make.py beside this file; recalibrated: alpha 0.25, gamma 2; {BINS} bins",
                "bins": BINS,
                "binary": [
                    case("with ties", x, y),
                    case("with ties and weights", x, y, np.round(random.random(300) * 3, 3)),
                    case("without ties", *binary(400, False, -2)),
                ],
                "several": several(),
                "softmax": softmax(),
            }
        )
    )
