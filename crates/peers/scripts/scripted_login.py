"""Completes login links, and sends commands to the test that runs the script."""

import urllib.error
import urllib.parse
import urllib.request


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def code_from(authorize_url):
    """Opens a login link as a browser does; returns the code of the redirect."""
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        page = opener.open(authorize_url).read().decode()
        raise SystemExit(f"no redirect, but a page: {page}")
    except urllib.error.HTTPError as answer:
        if answer.code not in (302, 303):
            raise SystemExit(f"login failed: {answer.code} {answer.read().decode()}")
        location = answer.headers["location"]
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
    if "code" not in query:
        raise SystemExit(f"login denied: {query}")
    return query["code"]


def tell(command):
    """Prints a command for the test, and waits until the test has run it."""
    print(f"@{command}", flush=True)
    answer = input()
    assert answer == "done", answer
