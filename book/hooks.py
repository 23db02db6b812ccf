"""Makes the book of what is in the repository. MkDocs calls the functions on_…; see book/mkdocs.yml.

  pages      every *.md, rendered as GitHub does it (CommonMark), with its links turned to pages of the book
  reference  a page for each public header, and two tables of all names: see reference.py
  source/    a page for each source file that somebody links to
"""
import html
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pygments
from markdown_it import MarkdownIt
from mkdocs.structure import pages as mkdocs_pages
from mkdocs.structure.files import File
from mkdocs.structure.nav import Link
from mkdocs.structure.toc import get_toc
from mkdocs.utils import get_relative_url
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.util import ClassNotFound

sys.path.insert(0, str(Path(__file__).parent))
import reference as reference_module  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PLAYERS = Path(os.environ["BOOK_PLAYERS"])
SITE = Path(os.environ["BOOK_SITE"])
CPYTHON = "https://github.com/python/cpython/blob/3.14/"
TABLES = {"Python → C++": "reference/from-python.html", "C++ → where to read": "reference/from-cpp.html"}
faults = []


def all_files():
    """What git would take; without git, what is there."""
    git = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True,
                         text=True, check=False)
    if git.returncode == 0:
        return {path for path in git.stdout.split("\n") if path and (ROOT / path).is_file()}
    hidden = re.compile(r"(^|/)(\.git|\.cache|build|my_asyncio|__pycache__)/")
    paths = (str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file())
    return {path for path in paths if not hidden.search(path)}


FILES = all_files()
FOLDERS = {str(parent) for path in FILES for parent in Path(path).parents} | {"."}
PAGES = [path for path in FILES if path.endswith(".md")]
REFERENCE = reference_module.Reference(ROOT, Path(os.environ["BOOK_XML"]))
HEADERS = REFERENCE.headers


def page_url(path):
    """Where a *.md stands in the book."""
    folder, name = posixpath.split(path)
    return posixpath.join(folder, "index.html" if name == "README.md" else name[:-3] + ".html")


def api_url(header):
    return "reference/" + header.include.removeprefix("asyncio/")[:-2] + ".html"


# --- The chain of `Read next`: the README, the lessons and the headers.

def read_next(path):
    if path.endswith(".h"):
        text = " ".join(line[2:].strip() for line in (ROOT / path).read_text().split("\n#pragma")[0].splitlines())
    elif path.endswith(".md"):
        text = (ROOT / path).read_text()
    else:
        return None
    found = re.search(r"Read next:\s*(?:\[[^]]*\]\()?([^\s,;:()`\]]+)", text)
    if not found:
        return None
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), found[1].removesuffix(".")))
    return target if target in FILES else None


CHAIN = ["README.md"]
while (following := read_next(CHAIN[-1])) and following not in CHAIN:
    CHAIN.append(following)
IN_CHAIN = {path: number for number, path in enumerate(CHAIN)}


class Neighbour:
    def __init__(self, title, url):
        self.title, self.url, self.canonical_url = title, url, None


titles = {}


def neighbour(path):
    if path.endswith(".md"):
        return Neighbour(titles.get(path, path), page_url(path))
    return Neighbour(path.split("/asyncio/", 1)[-1], Source.url(path))


def neighbours(path):
    number = IN_CHAIN.get(path)
    if number is None:
        return None, None
    return (neighbour(CHAIN[number - 1]) if number else None,
            neighbour(CHAIN[number + 1]) if number + 1 < len(CHAIN) else None)


# --- Source pages.

class Source:
    """The files and folders that somebody links to; each gets a page."""

    wanted = {}

    @staticmethod
    def url(path):
        url = "source/index.html" if path == "." else \
            f"source/{path}/index.html" if path in FOLDERS else f"source/{path}.html"
        Source.wanted.setdefault(path, url)
        return url


def highlight(text, language):
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    return pygments.highlight(text, lexer, HtmlFormatter(nowrap=True))


def line_of_quote(path, quote):
    """The line of the file at which what is quoted begins; 1 if there is none."""
    fold = lambda line: re.sub(r"demo[a-z_]*\.(cpp|h):\d+", "demo:N", re.sub(r"=+\d+\.\d+", "=", line.strip()))
    first = []
    for line in quote.split("\n"):
        if line.strip() == "…":
            if first:
                break
            continue
        first.append(fold(line))
    while first and not first[-1]:
        first.pop()
    lines = [fold(line) for line in (ROOT / path).read_text().split("\n")]
    for number in range(len(lines) - len(first) + 1):
        if lines[number:number + len(first)] == first:
            return number + 1
    return 1


# --- Markdown, as GitHub reads it.

def slug(text, used):
    text = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
    number = used.get(text)
    used[text] = 0 if number is None else number + 1
    return text if number is None else f"{text}-{number + 1}"


class Renderer:
    """One page: self.path is its file, relative to the root; self.url its place in the book."""

    def __init__(self, path, url):
        self.path, self.url = path, url
        self.toc, self.used, self.linked = [], {}, set()

    def relative(self, url):
        return get_relative_url(url, self.url)

    def target(self, link):
        """What a link of the file leads to, as a link of the page."""
        if re.match(r"[a-z]+:|#|//", link):
            return link
        path, _, anchor = link.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), path))
        anchor = f"#{anchor}" if anchor else ""
        if path in FOLDERS and posixpath.normpath(posixpath.join(path, "README.md")) in FILES:
            path = posixpath.normpath(posixpath.join(path, "README.md"))
        if path in FILES and path.endswith(".md"):
            return self.relative(page_url(path)) + anchor
        if path in FILES and path.endswith((".svg", ".png")):
            Source.wanted[path] = path
            return self.relative(path)
        if path in FILES or path in FOLDERS:
            return self.relative(Source.url(path)) + re.sub(r"^#L(\d+).*", r"#L-\1", anchor)
        faults.append(f"{self.path}: a link to {link}, which is not there")
        return link

    def render(self, text):
        markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
        tokens = markdown.parse(text)
        self.anchors(tokens)
        self.turn_links(tokens)
        section = None
        for index, token in enumerate(tokens):
            if token.type == "heading_open":
                section = token.attrs["id"]
            if token.type == "inline" and tokens[index - 1].type != "heading_open":
                self.link_names(token, section)
        markdown.add_render_rule("fence", lambda _, all_tokens, number, options, env: self.fence(all_tokens[number]))
        content = markdown.renderer.render(tokens, markdown.options, {})
        content = re.sub(r"<t([dh]) style=\"text-align:(\w+)\"", r'<t\1 align="\2"', content)
        if self.path == "README.md":
            content = content.replace("<table>", '<table class="side-by-side">', 1)
        for title, page in TABLES.items():
            content = content.replace(f"<em>{title}</em>", f'<em><a href="{self.relative(page)}">{title}</a></em>')
        content = re.sub(r'(<p>)(<img src="([^"]*)"[^>]*>)(</p>)', r'\1<a href="\3">\2</a>\4', content)
        player = PLAYERS / f"stage{self.path[5]}.html" if self.path.startswith("stage") else None
        picture = re.search(r'<p><a [^>]*><img src="[^"]*watch\.svg"[^>]*></a></p>', content)
        if picture:
            if not player.exists():
                sys.exit(f"book: there is no {player}")
            address = self.relative(f"watch/{player.name}")
            name = f"The loop of stage {self.path[5]}'s demo, event by event"
            content = content.replace(picture[0], f"""{picture[0]}
<details class="player"><summary>Play the demo, event by event</summary>
<iframe src="{address}" loading="lazy" title="{name}"></iframe>
<p><a href="{address}">On a page of its own</a></p></details>""")
        return content

    def turn_links(self, tokens):
        for token in tokens:
            for attribute in ("href", "src"):
                if attribute in token.attrs:
                    token.attrs[attribute] = self.target(token.attrs[attribute])
            if token.type.startswith("html_"):
                token.content = re.sub(r'(<(?:a|img)\b[^>]*? (?:href|src)=")([^"]*)"',
                                       lambda found: f'{found[1]}{self.target(found[2])}"', token.content)
            self.turn_links(token.children or ())

    def anchors(self, tokens):
        stack = [(0, self.toc)]
        for index, token in enumerate(tokens):
            if token.type != "heading_open":
                continue
            inline = tokens[index + 1]
            text = "".join(child.content for child in inline.children if child.type in ("text", "code_inline"))
            token.attrs["id"] = slug(text, self.used)
            level = int(token.tag[1])
            entry = {"level": level, "id": token.attrs["id"], "name": html.escape(text), "children": []}
            while stack[-1][0] >= level:
                stack.pop()
            stack[-1][1].append(entry)
            stack.append((level, entry["children"]))

    def link_names(self, token, section):
        """A public name in backquotes leads to the reference, once in each section."""
        depth = 0
        for child in token.children:
            depth += {"link_open": 1, "link_close": -1}.get(child.type, 0)
            if child.type != "code_inline" or depth:
                continue
            found = look_up(child.content)
            if found and (section, child.content) not in self.linked and stage_of(self.path) >= found[1].stage:
                self.linked.add((section, child.content))
                name, header = found
                child.type = "html_inline"
                child.content = (f'<a class="name" href="{self.relative(api_url(header))}#{name.anchor}">'
                                 f"<code>{html.escape(child.content)}</code></a>")

    def fence(self, token):
        language, _, file = token.info.strip().partition(" ")
        if language == "mermaid":
            return f'<figure class="diagram" tabindex="0"><pre>{html.escape(token.content)}</pre></figure>\n'
        caption = ""
        if file:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), file.split()[0]))
            if path in FILES:
                line = line_of_quote(path, token.content)
                where = f"{file}:{line}" if line > 1 else file
                caption = f'<a class="filename" href="{self.relative(Source.url(path))}#L-{line}">{html.escape(where)}</a>'
            else:
                faults.append(f"{self.path}: quotes {file}, which is not there")
        return (f'<div class="highlight">{caption}<pre><code tabindex="0">{highlight(token.content, language)}'
                "</code></pre></div>\n")


def stage_of(path):
    return int(path[5]) if path.startswith("stage") else 6


MEMBERS = {}
for header in HEADERS.values():
    for name in header.names:
        for member in name.members:
            MEMBERS.setdefault(member.short.rpartition("::")[2], []).append((member, header))


def look_up(code):
    """The public name that a piece of code in a text is, or None."""
    found = re.fullmatch(r"(?:asyncio::|co_await )?([A-Za-z_][A-Za-z_0-9:]*)(<.*>)?(\(.*\))?", code)
    if not found:
        return None
    name = found[1]
    if name in REFERENCE.by_name and (len(name) > 4 or found[3] or name[0].isupper()):
        entry = REFERENCE.by_name[name]
        last = entry[0].short.rpartition("::")[2]  # of an enumerator the name of its enum: `read` is a function
        if not name.islower() or last == name.rpartition("::")[2]:
            return entry
    members = MEMBERS.get(name, ())
    return members[0] if len(members) == 1 and (found[3] or "_" in name) else None


# --- The reference.

class ReferencePages:
    """Pages that have no file: path -> (title, function that makes content and toc)."""

    made = {}

    @classmethod
    def add(cls, path, title, render):
        cls.made[path] = (title, render)


def lesson_of(header):
    folder = header.path.split("/asyncio/", 1)[0]
    for path in (f"{folder}/README.md", f"{posixpath.dirname(folder)}/README.md"):
        if path in FILES:
            return path
    return "README.md"


def declaration(entry):
    text = entry["declaration"]
    if max(map(len, text.split("\n"))) > 90 and "(" in text:
        head, _, rest = text.partition("(")
        depth, pieces, piece = 0, [], ""
        for character in rest:
            if character in "(<{[":
                depth += 1
            if character in ")>}]":
                depth -= 1
            if character == "," and depth == 0:
                pieces.append(piece.strip())
                piece = ""
                continue
            if depth < 0:
                break
            piece += character
        tail = rest[len(",".join([])):]
        tail = rest[rest.rfind(")"):] if ")" in rest else ""
        pieces.append(piece.strip())
        text = head + "(\n    " + ",\n    ".join(pieces) + tail
    return highlight(text + "\n", "cpp")


def render_header(header, renderer):
    def name_link(refid):
        found = REFERENCE.where.get(refid)
        return renderer.relative(api_url(found[1])) + "#" + found[0].anchor if found else None

    REFERENCE.link = name_link
    source = renderer.relative(Source.url(header.path))
    lesson = lesson_of(header)
    mirrors = re.sub(r"Lib/[\w/.]+\.py", lambda file: f'<a href="{CPYTHON}{file[0]}">{file[0]}</a>',
                     html.escape(header.mirrors.rstrip(".")))
    parts = [f'<h1 id="header">{html.escape(header.include.removeprefix("asyncio/"))}</h1>',
             f"<p>{prose(header.about)}</p>",
             f'<div class="highlight"><pre><code tabindex="0">{highlight(f"#include <{header.include}>", "cpp")}</code></pre></div>',
             '<dl class="facts">',
             f'<dt>Lesson</dt><dd><a href="{renderer.relative(page_url(lesson))}">{titles.get(lesson, lesson)}</a></dd>',
             f'<dt>Source</dt><dd><a href="{source}">{header.path}</a></dd>',
             f"<dt>Mirrors</dt><dd>{mirrors}; […] is CPython's name of the same</dd>",
             *(f"<dt>{word}</dt><dd>{prose(text)}{BESIDES.get(word, '')}</dd>" for word, text in header.rules.items()), "</dl>"]
    toc = [{"level": 1, "id": "header", "name": header.include.removeprefix("asyncio/"), "children": []}]

    def entry(name, level):
        parts.append(f'<h{level} id="{name.anchor}"><code>{html.escape(name.short)}</code></h{level}>')
        previous = None
        for overload in name.overloads:
            about = overload["about"]()
            for value, text in overload.get("values", []):
                about += f"<p><code>{html.escape(value)}</code> {text()}</p>"
            if about == previous:
                parts.pop()
            href = f'{renderer.relative(Source.url(overload["path"]))}#L-{overload["line"]}'
            parts.append(f'<div class="highlight"><a class="filename" href="{href}">line {overload["line"]}</a>'
                         f'<pre><code tabindex="0">{declaration(overload)}</code></pre></div>')
            parts.append(about)
            previous = about
        if name.kind in ("function", "class", "struct"):
            parts.append(f"<!--rules {len(RULES)}-->")
            RULES.append(rules_of(name, header, mirrors))

    for name in header.names:
        child = {"level": 2, "id": name.anchor, "name": html.escape(name.short), "children": []}
        toc[0]["children"].append(child)
        entry(name, 2)
        fields = [member for member in name.members if member.kind == "variable"]
        if fields:
            parts.append('<dl class="fields">')
            for field in fields:
                overload = field.overloads[0]
                parts.append(f'<dt id="{field.anchor}"><a href="{source}#L-{overload["line"]}"><code>'
                             f'{highlight(overload["declaration"], "cpp").strip()}</code></a></dt><dd>{overload["about"]()}</dd>')
            parts.append("</dl>")
        for member in name.members:
            if member in fields:
                continue
            child["children"].append({"level": 3, "id": member.anchor, "name": html.escape(member.short.rpartition("::")[2]),
                                      "children": []})
            entry(member, 3)
    return "\n".join(parts), toc


# What holds for a name, below it. It is put in behind the search's back, which would find each word a thousand times.
RULES = []
BESIDES = {"Errors": " Besides, whatever is not <code>noexcept</code> may throw std::bad_alloc, and each await CancelledError."}


def rules_of(name, header, mirrors):
    """The header's rules, as far as the name does not say otherwise."""
    comments = " ".join(overload["comment"] for overload in name.overloads)
    declarations = [overload["declaration"] for overload in name.overloads]
    own = {"Threads": "thread" in comments, "Ticks": re.search(r"\bticks?\b", comments), "Errors": "hrows " in comments}
    rows = {}
    for word, text in header.rules.items():
        rows[word] = f"as it says above; apart from that: {prose(text)}" if own.get(word) else prose(text)
    if name.kind == "function":
        if all("noexcept" in declaration for declaration in declarations):
            member = name.short.rpartition("::")[2]
            awaited = any(reference_module.AWAITABLE.search(reference_module.result_of(declaration, member))
                          for declaration in declarations)
            rows["Errors"] = f"of the await, not of the call: {rows['Errors']}" if awaited else "none: it is <code>noexcept</code>."
        if not any(reference_module.NUMBER.search(declaration) for declaration in declarations):
            rows["Units"] = "none: it has no number."
    brackets = re.findall(r"\[([A-Za-z_][\w.]+)\]", comments)
    rows["CPython"] = f"<code>{'</code>, <code>'.join(brackets)}</code>: {mirrors}" if brackets else mirrors
    items = "".join(f"<dt>{word}</dt><dd>{text}</dd>" for word, text in rows.items())
    return f'<details class="rules"><summary>Unless said above: {", ".join(rows)}</summary><dl class="facts">{items}</dl></details>'


def on_post_page(output, page, config):
    return re.sub(r"<!--rules (\d+)-->", lambda found: RULES[int(found[1])], output)


def prose(text):
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text, quote=False))


def linked(content, renderer):
    """The content of a page of the reference, with a link for each call() in its prose that is one public name, and has none."""
    def link(found):
        bare = found[0][:-2]
        name = None if bare in MEMBERS and bare in REFERENCE.by_name else look_up(found[0])
        return f'<a href="{renderer.relative(api_url(name[1]))}#{name[0].anchor}">{found[0]}</a>' if name else found[0]

    # What stands in a tag, a link, a title, code that is shown as code, or Python's words, stays.
    pieces = re.split(r"(<dt>Mirrors</dt><dd>.*?</dd>|<(?:a|h\d|pre|summary)\b.*?</(?:a|h\d|pre|summary)>|<[^>]*>)", content, flags=re.S)
    return "".join(piece if number % 2 else re.sub(r"(?<![.\w:])[A-Za-z_][\w:]*\(\)", link, piece) for number, piece in enumerate(pieces))


FILTER = ('<p class="filter"><label for="filter">Find </label><input id="filter" type="search" autocomplete="off"> '
          '<span id="filtered" role="status"></span></p>')


def render_from_python(renderer):
    """All rows of API.md in one table."""
    rows = []
    for python, cpp, stage, why in reference_module.rows_of_api((ROOT / "tests/conformance/API.md").read_text()):
        links = []
        for name in re.findall(r"`([^`]*)`", cpp):
            found = REFERENCE.find(name) or look_up(name)
            code = f"<code>{html.escape(name)}</code>"
            links.append(f'<a href="{renderer.relative(api_url(found[1]))}#{found[0].anchor}">{code}</a>' if found else code)
        test = re.search(r"(stage\d/\S+\.cpp): (\w+\.\w+)", why)
        note = prose(re.sub(r";? ?stage\d/\S+\.cpp: [\w./]+", "", why).strip("; "))
        if test and f"tests/{test[1]}" in FILES:
            note += f' <a href="{renderer.relative(Source.url("tests/" + test[1]))}">its test</a>'
        rows.append(f"<tr><td>{prose(python)}</td><td>{', '.join(links) or 'none'}</td><td>{stage if stage != '–' else ''}</td>"
                    f"<td>{note}</td></tr>")
    if len(rows) < 300:
        faults.append(f"API.md: only {len(rows)} rows")
    return (f'<h1 id="python">Python → C++</h1><p>Every name of asyncio, and what it is here. The same by topic, with the tests: '
            f'<a href="{renderer.relative(page_url("tests/conformance/API.md"))}">every public name of asyncio</a>.</p>{FILTER}'
            '<div class="filtered"><table><thead><tr><th>Python</th><th>C++</th><th>stage</th><th>if it differs; the test</th></tr></thead><tbody>'
            + "\n".join(rows) + "</tbody></table></div>", [])


def render_from_cpp(renderer):
    """All public names: where they are declared, which lesson tells of them, what they mirror."""
    rows = []
    for header in HEADERS.values():
        lesson = lesson_of(header)
        room = header.path.split("/asyncio/", 1)[0]
        for name in header.names:
            for each in [name, *name.members]:
                line, path = each.overloads[0]["line"], each.overloads[0]["path"]  # a member's may be that of a base class
                rows.append((each.short.lower(), (
                    f'<tr><td><a href="{renderer.relative(api_url(header))}#{each.anchor}"><code>{html.escape(each.short)}</code></a></td>'
                    f'<td><a href="{renderer.relative(Source.url(path))}#L-{line}">{path.split("/asyncio/", 1)[1]}:{line}</a></td>'
                    f'<td><a href="{renderer.relative(page_url(lesson))}">{room}</a></td>'
                    f'<td>{html.escape(header.mirrors)}</td></tr>')))
    return (f'<h1 id="cpp">C++ → where to read</h1><p>All {len(rows)} public names: in the reference, in the source, the lesson, and '
            f"what the header mirrors in CPython.</p>{FILTER}"
            '<div class="filtered"><table><thead><tr><th>name</th><th>declared in</th><th>lesson</th><th>mirrors</th></tr></thead><tbody>'
            + "\n".join(row for _, row in sorted(rows)) + "</tbody></table></div>", [])


# --- MkDocs.

def on_config(config):
    for path in PAGES:
        title = re.search(r"^# (.*)$", (ROOT / path).read_text(), re.M)
        titles[path] = re.sub(r"[`*]", "", title[1]) if title else path
    contents = []
    for (title, url), render in zip(TABLES.items(), (render_from_python, render_from_cpp)):
        path = url[:-5] + ".md"
        contents.append({title: path})
        ReferencePages.add(path, title, render)
    groups = {}
    for header in HEADERS.values():
        path = api_url(header)[:-5] + ".md"
        ReferencePages.add(path, header.include.removeprefix("asyncio/"), lambda renderer, header=header: render_header(header, renderer))
        groups.setdefault(header.path.split("/asyncio/", 1)[0], []).append((IN_CHAIN.get(header.path, 0), path))
    for group, paths in sorted(groups.items()):
        contents.append({f"{group[5]} {group.partition('_')[2].split('/')[-1].lstrip('0123456789_')}": [path for _, path in sorted(paths)]})
    for section in config["nav"]:
        if "Reference" in section:
            section["Reference"] = contents
    named = set(re.findall(r"[\w/.]+\.md", str(config["nav"])))
    for path in set(PAGES) - named:
        faults.append(f"book/mkdocs.yml: {path} is not in the nav")
    return config


REFERENCE_ORDER = [api_url(HEADERS[path])[:-5] + ".md" for path in CHAIN if path in HEADERS]


def on_files(files, config):
    for path in PAGES + list(ReferencePages.made):
        file = File(path, str(ROOT), config["site_dir"], False)
        file.url = file.dest_path = page_url(path)
        file.abs_dest_path = str(Path(config["site_dir"]) / file.dest_path)
        files.append(file)
    return files


def on_page_read_source(page, config):
    if page.file.src_path in ReferencePages.made:
        return f"# {ReferencePages.made[page.file.src_path][0]}\n"
    return None


def render_page(page, config, files):
    path = page.file.src_path
    renderer = Renderer(path, page.url)
    if path in ReferencePages.made:
        page.content, toc = ReferencePages.made[path][1](renderer)
        page.content = linked(page.content, renderer)
    else:
        page.content, toc = renderer.render((ROOT / path).read_text()), renderer.toc
        page.content += reference_of(path, renderer, toc)
    page.toc = get_toc(toc)


mkdocs_pages.Page.render = render_page


def reference_of(path, renderer, toc):
    """At the end of a lesson: the pages of its headers."""
    folder = posixpath.dirname(path)
    mine = [header for header in HEADERS.values() if lesson_of(header) == path]
    if not mine or not folder:
        return ""
    mine.sort(key=lambda header: IN_CHAIN.get(header.path, 0))
    if toc:
        toc[0]["children"].append({"level": 2, "id": "in-the-reference", "name": "In the reference", "children": []})
    items = "".join(f'<li><a href="{renderer.relative(api_url(header))}">{header.include.removeprefix("asyncio/")}</a>: '
                    f"{prose(header.about.partition('. ')[0].rstrip('.'))}</li>" for header in mine)
    return f'<h2 id="in-the-reference">In the reference</h2><ul class="headers">{items}</ul>'


def on_page_context(context, page, config, nav):
    path = page.file.src_path
    page.previous_page, page.next_page = neighbours(path)
    if path in REFERENCE_ORDER:
        number = REFERENCE_ORDER.index(path)
        page.previous_page, page.next_page = (
            Neighbour(ReferencePages.made[each][0], each[:-3] + ".html") if each else None
            for each in ((REFERENCE_ORDER[number - 1] if number else None),
                         (REFERENCE_ORDER[number + 1] if number + 1 < len(REFERENCE_ORDER) else None)))
    return context


def on_nav(nav, config, files):
    global navigation
    navigation = nav
    return nav


def on_env(env, config, files):
    global environment
    environment = env
    return env


class SmallNavigation:
    """Beside a source: the lessons, and the first page of every other section. All pages would make each of a thousand pages
    four times as large."""

    def __init__(self):
        self.homepage = navigation.homepage

    def __iter__(self):
        yield from navigation.items[:2]
        for section in navigation.items[2:]:
            yield Link(section.title, first_page(section).url)


def first_page(item):
    return first_page(item.children[0]) if item.children else item


class SourcePage:
    """What the theme wants to know of a page."""

    toc, meta, is_homepage, canonical_url, edit_url, ancestors, parent, active = (), {}, False, None, None, [], None, False

    def __init__(self, title, url, content):
        self.title, self.url, self.content = title, url, content
        self.previous_page = self.next_page = None


def too_large(path):
    data = (ROOT / path).read_bytes()
    return b"\0" in data or len(data) > 400_000


def source_page(path, url):
    if path in FOLDERS:
        inside = sorted({each[len(path) + 1:].split("/")[0] if path != "." else each.split("/")[0] for each in FILES
                         if path == "." or each.startswith(path + "/")})
        items = []
        for name in inside:
            child = posixpath.normpath(posixpath.join(path, name))
            if child in FILES and too_large(child):
                items.append(f"<li>{html.escape(name)}</li>")
                continue
            to = page_url(child) if child in PAGES else Source.url(child)
            items.append(f'<li><a href="{get_relative_url(to, url)}">{html.escape(name)}{"/" if child in FOLDERS else ""}</a></li>')
        page = SourcePage(path, url, f'<h1 class="path">{html.escape(path)}</h1><ul>{"".join(items)}</ul>')
        return page
    if too_large(path):
        return None
    text = (ROOT / path).read_text(errors="replace")
    try:
        lexer = get_lexer_for_filename(path + "pp" if path.endswith(".h") else path, stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("bash" if text.startswith("#!") and "sh" in text.split("\n")[0] else "text", stripnl=False)
    lines = pygments.highlight(text, lexer, HtmlFormatter(nowrap=True)).rstrip("\n").split("\n")
    code = "".join(f'<span id="L-{number}">{line}\n</span>' for number, line in enumerate(lines, 1))

    def include(found):
        target = next((header for header in INCLUDES.get(found[2], ())), None)
        return f'{found[1]}<a href="{get_relative_url(Source.url(target), url)}">&lt;{found[2]}&gt;</a>' if target else found[0]

    code = re.sub(r'(<span class="cpf">)&lt;([\w/.]+)&gt;', include, code)
    header = HEADERS.get(path)
    facts = ""
    if header:
        facts = (f'<p>In the <a href="{get_relative_url(api_url(header), url)}">reference</a>; lesson: '
                 f'<a href="{get_relative_url(page_url(lesson_of(header)), url)}">{titles[lesson_of(header)]}</a></p>')
    page = SourcePage(path, url, f'<h1 class="path">{html.escape(path)}</h1>{facts}'
                      f'<div class="highlight source"><pre><code tabindex="0">{code}</code></pre></div>')
    page.previous_page, page.next_page = neighbours(path)
    return page


INCLUDES = {}
for each in FILES:
    if "/asyncio/" in each and each.endswith(".h"):
        INCLUDES.setdefault("asyncio/" + each.split("/asyncio/", 1)[1], []).append(each)


def on_post_build(config):
    template = environment.get_template("main.html")
    small = SmallNavigation()
    done = set()
    while left := set(Source.wanted) - done:
        for path in sorted(left):
            done.add(path)
            url = Source.wanted[path]
            to = SITE / url
            to.parent.mkdir(parents=True, exist_ok=True)
            if path == url:  # a picture
                shutil.copy(ROOT / path, to)
                continue
            page = source_page(path, url)
            if page is None:
                faults.append(f"{path} has no page: it is too large, or no text")
                continue
            depth = get_relative_url(".", url)
            text = template.render(page=page, config=config, nav=small, base_url=depth, pages=[], mkdocs_version="",
                                   build_date_utc=None)
            to.write_text(text)
    # The two tables of all names have a search of their own.
    index = json.loads((SITE / "search/search_index.json").read_text())
    index["docs"] = [entry for entry in index["docs"] if not entry["location"].startswith("reference/from-")]
    index = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    (SITE / "search/search_index.json").write_text(index)
    (SITE / "search/search_index.js").write_text(f"var __search = {{ index: Promise.resolve({index}) }};")
    (SITE / "watch").mkdir(exist_ok=True)
    for player in sorted(PLAYERS.glob("stage*.html")):
        shutil.copy(player, SITE / "watch")
    for fault in faults:
        print(f"book: {fault}", file=sys.stderr)
    for fault in sorted(REFERENCE.undocumented):
        print(f"book: not documented: {fault}", file=sys.stderr)
    if faults or REFERENCE.undocumented:
        sys.exit(1)
