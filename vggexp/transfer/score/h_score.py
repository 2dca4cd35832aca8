"""H-score: the share of the features' variance that lies between classes (Bao et al., ICIP 2019)."""

import numpy as np
from numpy.typing import NDArray


def h_score(features: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """trace(cov(F)^-1 cov(E[F | Y])), from 0 to the number of classes - 1; higher suits better.

    The inverse is the pseudo-inverse, for features without full rank.

    Args:
        features: (N, D).
        labels: (N,).
    """
    centred = features - features.mean(0)
    means = np.zeros_like(centred)
    for label in np.unique(labels):
        means[labels == label] = centred[labels == label].mean(0)
    count = len(features)
    between, whole = means.T @ means / count, centred.T @ centred / count
    return float(np.trace(np.linalg.pinv(whole, rcond=1e-6, hermitian=True) @ between))
