"""Writes micrographs.json: scikit-learn's figures of the cell detector's logits on three test images of the BCCD set.

npm start -- --data FOLDER --epochs 2 --images 40 writes logits.npy and targets.npy beside its report; logits are kept as bfloat16. Made with scikit-learn 1.2.1:
python3 test/conformance/evaluation/micrographs.py logits.npy targets.npy > test/conformance/evaluation/micrographs.json
"""
import base64
import json
import sys
import numpy as np
import sklearn
from make import BINS, figures, posterior, sigmoid

SIZE = 3 * 80 * 60
bits = (np.load(sys.argv[1])[:SIZE].view(np.uint32) >> 16).astype(np.uint16)
y = np.load(sys.argv[2])[:SIZE].astype(int)
p = sigmoid((bits.astype(np.uint32) << 16).view(np.float32))


def numbers(found):
    kept = {name: found[name] for name in ["averagePrecision", "rocAuc", "brier", "logLoss", "bestF1"]}
    return {**kept, "calibrationError": found["uniform"]["error"]}


print(
    json.dumps(
        {
            "about": f"Figures of scikit-learn {sklearn.__version__}, written by micrographs.py beside this file; recalibrated: alpha 0.25, gamma 2; {BINS} bins",
            "bins": BINS,
            "logits": base64.b64encode(bits.tobytes()).decode(),
            "positives": np.flatnonzero(y).tolist(),
            "raw": numbers(figures(y, p)),
            "recalibrated": numbers(figures(y, posterior(p, 0.25, 2))),
        }
    )
)
