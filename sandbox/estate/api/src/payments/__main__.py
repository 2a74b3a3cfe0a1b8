"""Start the service: `python -m payments`."""

import os
import signal

from payments import examples
from payments.app import App
from payments.legacy import Fees
from payments.server import Server
from payments.store import Store


def main() -> None:
    """Read the settings from the environment and serve until somebody stops us."""
    database = os.environ.get("DATABASE")
    store = Store(database or ":memory:")
    if database is None:
        examples.fill(store)
    app = App(store, Fees(os.environ.get("LEGACY_API_URL")))
    server = Server(app, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8010")))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"payments: listening on {server.url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        store.close()


if __name__ == "__main__":
    main()
