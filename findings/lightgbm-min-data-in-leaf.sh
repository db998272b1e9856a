#!/usr/bin/env bash
# LightGBM counts the rows of a leaf by their second derivatives.
#
# One would guess: min_data_in_leaf is a number of rows, so that a leaf has at least as many, whatever the objective; its documentation says
#   that it is an approximation by the Hessian, and that a leaf occasionally has fewer.
# What happens: while it looks for splits, a leaf's count is rows * (its sum of second derivatives) / (that of all rows). With an objective
#   whose second derivatives differ much, 13 rows of a thousand pass for five hundred, and a minimum of 400 makes a leaf of 13. Where the
#   second derivatives are alike, the minimum holds.
# Versions: LightGBM 4.7.0 (Python package, Linux x86-64), NumPy 2.4.6. Date: 2026-11-29.
# Why it matters here: focal loss gives a few hard rows most of the second derivative. docs/boosting.md says so, and to bound steps by
#   maxStep instead.
set -euo pipefail
command -v python3 >/dev/null || { echo "python3 is missing" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet lightgbm==4.7.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import sys
import lightgbm as lgb
import numpy as np

ROWS = 1000
x = np.arange(ROWS, dtype=float).reshape(-1, 1)
hard = np.arange(ROWS) < 10

def smallest_leaf(heavy, minimum):
    """Rows of the smaller leaf of one split; hard rows have a second derivative of `heavy`, all others of 0.01."""
    def objective(scores, data):
        return np.where(hard, -1.0, 0.01), np.where(hard, heavy, 0.01)
    given = dict(objective=objective, num_leaves=2, min_data_in_leaf=minimum, min_sum_hessian_in_leaf=0, verbosity=-1, learning_rate=1)
    leaves = lgb.train(given, lgb.Dataset(x), 1).predict(x, pred_leaf=True).ravel().astype(int)
    counts = np.bincount(leaves)
    return int(counts.min()) if len(counts) > 1 else None

print("LightGBM", lgb.__version__)
seen = {}
for heavy in (0.01, 1.0):
    for minimum in (5, 20, 100, 200, 400):
        seen[heavy, minimum] = smallest_leaf(heavy, minimum)
        print(f"second derivative of ten rows {heavy}, of the others 0.01; min_data_in_leaf {minimum}: smaller leaf {seen[heavy, minimum] or 'none, no split'}")
alike = all(seen[0.01, m] is None or seen[0.01, m] >= m for m in (20, 100, 200, 400))
differing = any(seen[1.0, m] is not None and seen[1.0, m] < m for m in (20, 100))
sys.exit(0 if alike and differing else 1)
PY
