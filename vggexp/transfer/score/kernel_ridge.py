"""Kernel ridge regression: what a linear model reaches in a feature space that only its kernel describes."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STRENGTHS = np.logspace(-4, 3, 15)
"""Strengths of the regularisation, relative to the mean eigenvalue; leave-one-out validation chooses one."""


def kernel_ridge(kernel: Floats, targets: Floats) -> Floats:
    """(M, K): fit the first examples of a kernel and predict the others, with an intercept.

    Leave-one-out errors come in closed form from one eigendecomposition (Rifkin and Lippert 2007).

    Args:
        kernel: (N + M, N + M), symmetric, positive semi-definite: of N training, then M validation examples.
        targets: (N, K).
    """
    count = len(targets)
    mean = targets.mean(0)
    own = kernel[:count, :count]
    columns, whole = own.mean(0), own.mean()
    centred = own - columns - columns[:, None] + whole
    others = kernel[count:, :count]
    others = others - others.mean(1, keepdims=True) - columns + whole
    values, vectors = np.linalg.eigh(centred)
    values = values.clip(0)
    turned = vectors.T @ (targets - mean)
    fits = []
    for strength in STRENGTHS:
        inverse = 1 / (values + strength * values.mean() + np.finfo(float).tiny)
        weights = vectors @ (inverse[:, None] * turned)
        left_out = weights / (vectors**2 @ inverse)[:, None]
        fits.append((float((left_out**2).mean()), weights))
    _, weights = min(fits, key=lambda fit: fit[0])
    predicted: Floats = others @ weights + mean
    return predicted
