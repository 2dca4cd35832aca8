"""``schema``: the JSON Schema by which an editor completes and checks presets."""

import json
from collections.abc import Mapping
from typing import Any

from vggexp.config.schema.editor import preset_schema


def run(config: Mapping[str, Any]) -> int:
    """Print the schema."""
    print(json.dumps(preset_schema(), indent=1, ensure_ascii=False))
    return 0
