"""``workspace``: a W&B workspace that compares IoU and Dice by freeze policy."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.errors import ConfigError
from vggexp.run_folder import write_whole


def run(config: Mapping[str, Any]) -> int:
    """Publish the workspace and print its address; with ``output``, only write its definition."""
    try:
        from vggexp.logger import wandb_workspace
    except ModuleNotFoundError as error:
        raise ConfigError("the workspace needs wandb-workspaces; pip install 'vggexp[workspace]'") from error

    workspace = wandb_workspace.build(config["project"], config["entity"] or "", config["name"])
    if config["output"] is None:
        print(f"W&B: {wandb_workspace.publish(workspace)}")
        return 0
    output = Path(config["output"])
    output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(output, json.dumps(wandb_workspace.definition(workspace), indent=2) + "\n")
    print(f"{output}: {len(workspace.sections)} sections; without output=... it is published")
    return 0
