"""The direction of a metric: whether lower or higher is better."""


def direction(metric: str, task_metric: str, task_mode: str) -> str:
    """The mode, "min" or "max", of an objective.

    Args:
        metric: the objective's metric.
        task_metric, task_mode: the task's own objective; the task's other scores have its mode.

    >>> direction("loss", "top1", "max"), direction("loss_box", "score", "max"), direction("f1", "top1", "max")
    ('min', 'min', 'max')
    >>> direction("box_error_top1", "score", "max")
    'min'
    """
    if metric == task_metric:
        return task_mode
    return "min" if is_loss(metric) else task_mode


def is_loss(metric: str) -> bool:
    """Whether lower is better: the loss, a part of it, or an error."""
    return str(metric).partition("_")[0] == "loss" or "error" in str(metric).split("_")
