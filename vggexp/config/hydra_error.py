"""Turns Hydra's exceptions, which span several lines, into one line each."""

import re
from collections.abc import Callable, Collection

from hydra.errors import ConfigCompositionException, MissingConfigException, OverrideParseException

from vggexp.config.help import options
from vggexp.errors import did_you_mean


def explain(error: Exception, known_keys: Callable[[], Collection[str]]) -> str:
    """One line that says what is wrong and what to write instead.

    Args:
        known_keys: the groups and the dotted keys of the verb's default config; called only if a key is unknown.
    """
    text = str(error) or str(error.__cause__ or "") or type(error).__name__
    if found := re.search(r"Could not (?:find|load) 'hydra/(launcher|sweeper)/(\S+?)'", text):
        return missing_plugin(*found.groups())
    if isinstance(error, MissingConfigException) and (
        found := re.search(r"Could not (?:find|load) '(\S+?)/(\S+?)'", text)
    ):
        group, option = found.groups()
        return f"{group} has no option '{option}'{did_you_mean(option, options(group))}"
    if isinstance(error, ConfigCompositionException) and (found := re.search(r"Could not override '(\S+?)'", text)):
        if found[1] == "data.root":
            return "data.root names a folder of your own photos, which goes with data=auto: data=auto data.root=..."
        is_elsewhere = found[1] in (known := known_keys())
        near = " under the chosen options" if is_elsewhere else did_you_mean(found[1], known)
        return f"there is no key '{found[1]}'{near}"
    first = text.splitlines()[0]
    if isinstance(error, OverrideParseException):
        return f"cannot read '{getattr(error, 'override', '')}': {first}; write group=option or key=value"
    return first


def missing_plugin(kind: str, option: str) -> str:
    """The error text for a launcher or a sweeper that is not installed or does not exist."""
    if extra := {"joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit"}.get(option):
        return f"hydra/{kind}={option} is not installed; pip install 'vggexp[{extra}]'"
    known = ("basic", "joblib", "submitit_local", "submitit_slurm") if kind == "launcher" else ("basic", "optuna")
    return f"hydra/{kind} has no option '{option}'{did_you_mean(option, known)}"
