"""What the scripts of this directory share: a person who follows login links, and words with the test that runs them."""

import urllib.error
import urllib.parse
import urllib.request


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def code_from(authorize_url):
    """Fetches a login link, as a browser would, and gives the code that the redirect carries."""
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        page = opener.open(authorize_url).read().decode()
        raise SystemExit(f"no redirect, but a page: {page}")
    except urllib.error.HTTPError as answer:
        if answer.code not in (302, 303):
            raise SystemExit(f"login refused: {answer.code} {answer.read().decode()}")
        location = answer.headers["location"]
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
    if "code" not in query:
        raise SystemExit(f"login denied: {query}")
    return query["code"]


def tell(command):
    """Asks the test to do something to the server, and waits until it is done."""
    print(f"@{command}", flush=True)
    answer = input()
    assert answer == "done", answer
