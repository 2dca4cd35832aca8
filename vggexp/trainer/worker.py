"""One rank of a run on several devices. ``launcher`` starts it with a resolved config, so it parses no arguments."""

import json
import sys
import traceback
from pathlib import Path

from vggexp.distributed.processes import import_from_here, leave
from vggexp.distributed.signals import Terminated, die_with_parent, watched
from vggexp.distributed.whole import disk_error
from vggexp.errors import UserError


def main() -> int:
    """Train as the request file says, and record an error where the launcher reads it."""
    from torch.distributed.elastic.multiprocessing.errors import get_error_handler

    from vggexp.trainer.training import train

    import_from_here()
    handler = get_error_handler()
    handler.initialize()
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    die_with_parent(request["parent"])
    try:
        with watched():
            code = train(request["config"], request["go_on"])
        leave()
        return code
    except Terminated:
        return 143
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        handler.record_exception(known := disk_error(error) or error)
        if known is error:
            raise
        return 1
    except UserError as error:
        handler.record_exception(error)
        if request["config"]["debug"]:
            traceback.print_exc()
        return error.code
    except Exception as error:
        handler.record_exception(error)
        raise


if __name__ == "__main__":
    sys.exit(main())
