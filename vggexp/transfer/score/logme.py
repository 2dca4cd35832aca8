"""LogME: the evidence of a Bayesian linear model on the features (You et al., ICML 2021, arXiv 2102.11005)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def logme(features: Floats, targets: Floats, rounds: int = 100) -> float:
    """The log evidence for one image, averaged over the targets' columns; higher suits better.

    Each column y of the targets is modelled as y = F w + noise with w ~ N(0, 1/alpha) and noise ~ N(0, 1/beta). The
    evidence p(y | F) is maximised over alpha and beta by the paper's fixed-point iteration (algorithm 1).

    Args:
        features: (N, D).
        targets: (N, K): one-hot classes, or coordinates.
        rounds: the most iterations for a column; it stops before, when alpha / beta changes by less than 0.1 %.
    """
    count = len(features)
    left, singular, _ = np.linalg.svd(features, full_matrices=False)
    squares = singular**2
    values = [_evidence(squares, left.T @ column, float(column @ column), count, features.shape[1], rounds)
              for column in targets.T]  # fmt: skip
    return float(np.mean(values)) / count


def _evidence(squares: Floats, projected: Floats, norm: float, count: int, width: int, rounds: int) -> float:
    """The largest log evidence of one column.

    Args:
        squares: squared singular values of the features.
        projected: the column in the basis of the left singular vectors.
        norm: its squared norm.
    """
    outside = max(norm - float(projected @ projected), 0.0)  # the part that no linear map of the features can reach
    alpha = beta = 1.0
    for _ in range(rounds):
        ratio = alpha / beta
        gamma = float((squares / (squares + ratio)).sum())
        weights = float((squares * projected**2 / (squares + ratio) ** 2).sum())
        rest = float((projected**2 * ratio**2 / (squares + ratio) ** 2).sum()) + outside
        alpha, beta = gamma / max(weights, 1e-12), max(count - gamma, 1e-12) / max(rest, 1e-12)
        if abs(alpha / beta - ratio) <= 1e-3 * ratio:
            break
    weights = float((squares * projected**2 / (squares + alpha / beta) ** 2).sum())
    rest = float((projected**2 * (alpha / beta) ** 2 / (squares + alpha / beta) ** 2).sum()) + outside
    log_determinant = float(np.log(alpha + beta * squares).sum()) + (width - len(squares)) * np.log(alpha)
    return float(
        width / 2 * np.log(alpha) + count / 2 * np.log(beta) - count / 2 * np.log(2 * np.pi)
        - beta / 2 * rest - alpha / 2 * weights - log_determinant / 2
    )  # fmt: skip
