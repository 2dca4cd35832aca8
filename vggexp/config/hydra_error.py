"""Turns Hydra's exceptions, which span several lines, into one line each."""

import re
import shlex
from collections.abc import Callable, Collection

import yaml
from hydra.errors import ConfigCompositionException, MissingConfigException, OverrideParseException

from vggexp.config.help import groups, options
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
        if found[1] in groups() and found[1] not in known_keys():
            return f"this verb takes no {found[1]}; leave the word out"
        if found[1] in groups():
            return f"{found[1]} takes the name of an option, or a list of names{did_you_mean('', options(found[1]))}"
        if (group := found[1].partition(".")[0]) in ("logger", "callback") and found[1].count("."):
            option = found[1].split(".")[1]
            return f"there is no key '{found[1]}': {group}=[{option}] comes first, or {option} has no such key"
        is_elsewhere = found[1] in (known := known_keys())
        near = " under the chosen options" if is_elsewhere else did_you_mean(found[1], known)
        return f"there is no key '{found[1]}'{near}"
    if found := re.match(r"Multiple values for (\S+)\. To override a value use 'override \S+: (.*)'", text):
        return f"{found[1]} is chosen already, so nothing can be added: leave the + out, {found[1]}={found[2]}"
    if "does not support sweep type" in text:
        return "interval(...) is for Optuna, which draws from it: add hydra/sweeper=optuna; or list the values: KEY=A,B"
    if found := re.search(r"node `(\S+?)` is not a container", text):
        return f"{found[1]} holds several values, and other keys read them: give all of them, or leave it out"
    first = re.sub(r"^ConfigError raised while resolving interpolation: ", "", text.splitlines()[0])
    if first.endswith("composing config:"):
        first = f"{first.partition(':')[0].replace('In ', '')}: {text.splitlines()[1]}"
    if found := re.match(r"Ambiguous value for argument '(.*?)=(.*)'$", first):
        return _several(*found.groups())
    if isinstance(error, OverrideParseException):
        return f"cannot read '{(word := getattr(error, 'override', ''))}': {_advice(word)}"
    return first


def unreadable(error: Exception) -> str | None:
    """The line for a YAML file that cannot be composed; None for an error of another origin."""
    if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark):
        return f"{mark.name}, line {mark.line + 1}: this is not YAML ({error.problem}); correct it"
    if isinstance(error, yaml.YAMLError):
        return f"{getattr(error, 'name', 'a file')}: this is not YAML ({str(error).splitlines()[0]}); correct it"
    if isinstance(error, RecursionError):
        return "a YAML file names itself in its defaults, perhaps by way of others, or is nested too deeply"
    if found := re.match("Invalid loaded object type: (.*)", str(error)):
        return f"a YAML file holds a single value ({found[1]}) where keys belong; write KEY: VALUE"
    return None


def _several(key: str, values: str) -> str:
    """The error text for ``seed=1,2`` without ``-m``."""
    said = f"{key}={values} holds several values: add -m to run a sweep over them"
    if key in groups() and key not in ("callback", "logger"):  # it takes one option
        return said
    return f"{said}; as one list, write '{key}=[{values}]', and as text {as_text(key, values)}"


def _advice(word: str) -> str:
    key, equals, value = word.partition("=")
    if not equals or not re.fullmatch(r"[\w.@/+~]+", key):
        return "write group=option or key=value"
    return f"if it is meant as text, put the value in quotes and the word in others: {as_text(key, value)}"


def as_text(key: str, value: str) -> str:
    """A word for a shell whose value is text, whatever signs it holds.

    >>> print(as_text("run.name", "a=b"))
    'run.name="a=b"'
    """
    escaped = value.replace('"', '\\"')
    return shlex.quote(f'{key}="{escaped}"')


def missing_plugin(kind: str, option: str) -> str:
    """The error text for a launcher or a sweeper that is not installed or does not exist."""
    if extra := {"joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit"}.get(option):
        return f"hydra/{kind}={option} is not installed; pip install 'vggexp[{extra}]'"
    known = ("basic", "joblib", "submitit_local", "submitit_slurm") if kind == "launcher" else ("basic", "optuna")
    return f"hydra/{kind} has no option '{option}'{did_you_mean(option, known)}"
