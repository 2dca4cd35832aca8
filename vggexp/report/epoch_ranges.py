"""Epochs, as people write them."""


def spans(epochs: list[int], total: int) -> str:
    """Epochs as ranges.

    >>> spans([0, 1, 2, 5], 8)
    '0-2, 5'
    >>> spans([3, 4], 5)
    '3-4'
    """
    if len(epochs) in (0, total):
        return "all" if epochs else "none"
    spans: list[list[int]] = []
    for epoch in epochs:
        if spans and spans[-1][1] == epoch - 1:
            spans[-1][1] = epoch
        else:
            spans.append([epoch, epoch])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in spans)
