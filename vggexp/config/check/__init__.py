"""What the config alone can show to be wrong: in plain dicts, without torch.

Each check finds one kind of mistake and raises a ConfigError that says what, where, and what would be right.
"""

from vggexp.config.check.config import check
from vggexp.config.check.parts import check_sizes, needs

__all__ = ["check", "check_sizes", "needs"]
