"""Which handler answers which method and path."""

import re
import secrets
import sys
import traceback
from collections.abc import Callable
from datetime import date
from http import HTTPStatus

from payments.http import Invalid, Refused, Request, Response
from payments.legacy import Fees
from payments.routes import Routes
from payments.store import Store


class App:
    """Answer requests from a store."""

    def __init__(self, store: Store, fees: Fees, *, today: Callable[[], date] = date.today) -> None:
        to = Routes(store, fees, today)
        number = r"([A-Za-z0-9-]{1,20})"
        self._routes = (
            ("GET", r"/health", to.health),
            ("GET", r"/v1/guardians", to.list_guardians),
            ("POST", r"/v1/guardians", to.add_guardian),
            ("GET", r"/v1/guardians/(\d{1,9})", to.show_guardian),
            ("GET", r"/v1/guardians/(\d{1,9})/statement", to.statement),
            ("GET", r"/v1/invoices", to.list_invoices),
            ("POST", r"/v1/invoices", to.add_invoice),
            ("GET", rf"/v1/invoices/{number}", to.show_invoice),
            ("POST", rf"/v1/invoices/{number}/payments", to.pay),
            ("POST", rf"/v1/invoices/{number}/plan", to.plan),
            ("GET", rf"/v1/receipts/{number}", to.receipt),
            ("GET", r"/v1/fees", to.fees),
        )

    def answer(self, request: Request) -> Response:
        """Find the handler and call it; what it raises becomes a status with a sentence."""
        try:
            return self._find(request)
        except Refused as refusal:
            return Response(status=refusal.status, value={"error": str(refusal)})
        except Invalid as invalid:
            return Response(status=HTTPStatus.UNPROCESSABLE_ENTITY, value={"errors": invalid.errors})
        except Exception:
            reference = secrets.token_hex(4)
            print(f"payments: {reference}: {request.method} {request.path} failed", file=sys.stderr)
            traceback.print_exc()
            reason = f"We could not do that. Please tell the help desk the reference {reference}."
            return Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, value={"error": reason})

    def _find(self, request: Request) -> Response:
        allowed = []
        for method, pattern, handler in self._routes:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                return handler(request, *match.groups())
            if match:
                allowed.append(method)
        if allowed:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"Please use {' or '.join(allowed)} here.")
        raise Refused(HTTPStatus.NOT_FOUND, "There is no such resource.")
