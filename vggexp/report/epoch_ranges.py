"""Epochs as ranges, such as "0-2, 5"."""


def epoch_ranges(epochs: list[int], total: int) -> str:
    """Sorted epochs as ranges; "all" for all ``total`` epochs, "none" for no epochs.

    >>> epoch_ranges([0, 1, 2, 5], 8)
    '0-2, 5'
    >>> epoch_ranges([3, 4], 5)
    '3-4'
    """
    if len(epochs) in (0, total):
        return "all" if epochs else "none"
    ranges: list[list[int]] = []
    for epoch in epochs:
        if ranges and ranges[-1][1] == epoch - 1:
            ranges[-1][1] = epoch
        else:
            ranges.append([epoch, epoch])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in ranges)
