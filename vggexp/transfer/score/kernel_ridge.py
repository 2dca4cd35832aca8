"""Kernel ridge regression: what a linear model reaches in a feature space that only its kernel describes."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STRENGTHS = np.logspace(-4, 3, 15)
"""Strengths of the regularisation, relative to the mean eigenvalue; leave-one-out validation chooses one."""


def kernel_ridge(kernel: Floats, targets: Floats) -> Floats:
    """(M, K): fit the first examples of a kernel and predict the others, with an intercept.

    A kernel of zeros predicts the mean.

    Args:
        kernel: (N + M, N + M), symmetric, positive semi-definite: of N training, then M validation examples; N > 1.
        targets: (N, K).
    """
    count = len(targets)
    own, others = kernel[:count, :count], kernel[count:, :count]
    columns, whole = own.mean(0), own.mean()
    centred = own - columns - columns[:, None] + whole
    others = others - others.mean(1, keepdims=True) - columns + whole
    mean = targets.mean(0)
    if not centred.any():
        return np.repeat(mean[None], len(others), 0)
    _, weights = min(fits(centred, targets - mean), key=lambda fit: fit[0])
    predicted: Floats = others @ weights + mean
    return predicted


def fits(kernel: Floats, targets: Floats) -> Iterator[tuple[float, Floats]]:
    """For each strength the mean squared leave-one-out error, and the weights (N, K) of the training examples.

    The error is exact, the intercept fitted anew each time, in closed form from one eigendecomposition (Rifkin and
    Lippert, "Notes on regularized least squares", 2007): the residual over 1 - h, where h of the hat matrix's diagonal
    includes the intercept's 1 / N.

    Args:
        kernel: (N, N), centred.
        targets: (N, K), centred.
    """
    values, vectors = np.linalg.eigh(kernel)
    values = values.clip(0)
    turned = vectors.T @ targets
    for strength in STRENGTHS:
        penalty = strength * values.mean()
        inverse = 1 / (values + penalty)
        weights = vectors @ (inverse[:, None] * turned)
        left_out = penalty * weights / (penalty * (vectors**2 @ inverse) - 1 / len(targets))[:, None]
        yield float((left_out**2).mean()), weights
