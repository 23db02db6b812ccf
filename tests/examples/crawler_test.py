"""A site of Python's http.server: every page once, files that are no HTML, a broken link, links that lead elsewhere."""
import functools
import http.server
import os
import tempfile
from support import check, in_thread, run

PAGES = 60


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


with tempfile.TemporaryDirectory() as folder:
    os.mkdir(f"{folder}/deep")
    for i in range(PAGES):  # a binary tree: page i links to 2i + 1 and 2i + 2, and back
        links = [f"/deep/{j}.html" for j in (2 * i + 1, 2 * i + 2) if j < PAGES]
        links += ["/", "0.html#top", "picture.png", "http://127.0.0.1:1/elsewhere", "mailto:ann@example.org"]
        with open(f"{folder}/deep/{i}.html", "w") as page:
            page.write("".join(f"<p><a class='x' href='{link}'>link</a>" for link in links))
    with open(f"{folder}/index.html", "w") as page:
        page.write('<A HREF="deep/0.html">in</A>')
    with open(f"{folder}/deep/picture.png", "w") as picture:
        picture.write("<a href='/not-a-link.html'>")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    in_thread(server.serve_forever)
    root = f"http://127.0.0.1:{server.server_address[1]}/"

    lines = run(root, 10)
    wanted = {f"200  {root}deep/{i}.html" for i in range(PAGES)} | {f"200  {root}", f"200  {root}deep/picture.png"}
    check(set(lines[:-1]) == wanted and len(lines) == len(wanted) + 1, lines)
    check(lines[-1] == f"{len(wanted)} pages, 0 broken links", lines[-1])

    with open(f"{folder}/deep/59.html", "a") as page:
        page.write("<a href=\"gone.html\">")
    lines = run(root, 1, code=1)
    check(f"404  {root}deep/gone.html" in lines and lines[-1] == f"{len(wanted)} pages, 1 broken links", lines)
    server.shutdown()
