"""The public names of asyncio, as Doxygen finds them in the headers (XML), for the pages of the reference."""
import html
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

# What the language asks of a class, not its users; and what a user cannot spell.
PLUMBING = re.compile(r"^(~.*|operator=|await_(ready|suspend|resume)|promise_type|iterator|value_type|difference_type)$")


# What holds for each name of a header, unless the name says otherwise: the comment behind its last line.
RULES = ("Threads", "Ticks", "Errors", "Units")
RULES_BEGIN = "// For the whole header, unless a name says otherwise:"
# What is counted or measured, in a declaration.
NUMBER = re.compile(r"\b(int|unsigned|long|double|size_t|ptrdiff_t|off_t|socklen_t|u?int\d+_t|Duration|TimePoint|TimeLimit|AnyDuration|"
                    r"milliseconds)\b")
AWAITABLE = re.compile(r"\b(Coro|Future|Task|\w*Awaitable\w*|Awaiter|Sleep|Next)\b")
# Their public members are those of the classes that derive from them.
SHARED_BASES = ("TaskMethods", "BasicQueue", "QueueBase")


class Header:
    """A public header: what its head and its end say, and what it declares, in the order of its lines."""

    def __init__(self, root, path):
        self.path = path  # relative to the root
        self.include = "asyncio/" + path.split("/asyncio/", 1)[1]
        self.names = []
        lines = []
        for line in (root / path).read_text().splitlines():
            if not line.startswith("//"):
                break
            lines.append(line[2:].strip())
        text = " ".join(lines)
        self.read_next = (re.search(r"Read next: *([^ ,;:()`]*?)\.?(?=[ ,;:()`]|$)", text) or [None, None])[1]
        text = re.sub(r" ?Read next: .*?(\. |$)", " ", text)
        mirrors = re.search(r"Mirrors: *(.*?)(?:\.(?= [A-Z])|\.?$|\.?(?= [A-Z][a-z]+:))", text)
        self.mirrors = mirrors[1].strip() if mirrors else ""
        self.about = text.replace(mirrors[0] if mirrors else "", "").strip()
        self.rules = rules_of((root / path).read_text())

    @property
    def stage(self):
        return int(self.path[5])

    def faults(self):
        """What the rules lack, and where they contradict what is declared."""
        if not self.mirrors:
            yield "does not say what it mirrors"
        if list(self.rules) != list(RULES):
            yield f"does not end with what holds for all of it: {', '.join(RULES)}"
            return
        for word, text in self.rules.items():
            if not re.search(r"[^. ]\.$", text):
                yield f"{word}: is no sentence"
        for name in self.names:
            for each in [name, *name.members]:
                for overload in each.overloads:
                    text = overload["declaration"]
                    short = each.short.rpartition("::")[2]
                    says = {"Units": NUMBER.search(text), "Errors": "Throws" in overload["comment"],
                            "Ticks": each.kind == "function" and AWAITABLE.search(result_of(text, short))}
                    for word, something in says.items():
                        if something and self.rules[word] == "none.":
                            yield f"{word}: none; but there is {text}"


class Name:
    """What a header declares. `overloads` are several (declaration, documentation, line) of one name."""

    def __init__(self, kind, qualified, scope, line):
        self.kind, self.qualified, self.scope, self.line = kind, qualified, scope, line
        self.overloads = []
        self.members = []
        self.about = ""
        self.brief = ""

    @property
    def short(self):
        return self.qualified.removeprefix("asyncio::")

    @property
    def anchor(self):
        return re.sub(r"[^A-Za-z0-9_]+", "-", self.short).strip("-") or "name"


def rules_of(text):
    """The comment behind the last line of a header: word -> sentences. Empty if it is anything else."""
    rules = {}
    for line in text.partition("\n" + RULES_BEGIN + "\n")[2].splitlines():
        found = re.fullmatch(r"// (?:  (\S.*)|([A-Z][a-z]+): (\S.*))", line)
        if not found or (found[1] and not rules):
            return {}
        if found[1]:
            rules[list(rules)[-1]] += " " + found[1]
        else:
            rules[found[2]] = found[3]
    return rules


def result_of(declaration, short):
    """What stands before the name: without the parameters of a template, which are no result."""
    return re.sub(r"^template <.*>$", "", declaration, flags=re.MULTILINE).partition(f" {short}(")[0]


def text_of(element):
    return "".join(element.itertext()) if element is not None else ""


class Reference:
    def __init__(self, root, xml):
        self.root, self.xml = root, xml
        self.headers = {}
        self.undocumented = []
        self.where = {}  # refid -> Name or (Name of a member), and its header
        for path in public_headers(root):
            self.headers[path] = Header(root, path)
        self.by_name = {}
        compounds = []
        for file in sorted(xml.glob("*.xml")):
            if re.match(r"(class|struct|namespace|concept|union).*|version_8h", file.stem):
                compounds += ElementTree.parse(file).getroot().findall("compounddef")
        self.bases = {}
        for compound in compounds:
            short = compound.findtext("compoundname").rpartition("::")[2]
            if short in SHARED_BASES:
                self.bases[short] = compound
            else:
                self.add_compound(compound)
        for header in self.headers.values():
            header.names.sort(key=lambda name: name.line)
            for name in header.names:
                if name.kind in ("class", "struct"):
                    self.add_members_of_bases(name, name.compound, header)

    def header_at(self, element):
        location = element.find("location")
        if location is None:
            return None, 0
        path = location.get("declfile") or location.get("file")
        line = int(location.get("declline") or location.get("line"))
        return self.headers.get(path.removeprefix(f"{self.root}/")), line

    def add_compound(self, compound):
        kind, qualified = compound.get("kind"), compound.findtext("compoundname")
        if "detail" in qualified or not qualified.startswith(("asyncio", "version.h")):
            return
        if kind in ("namespace", "file"):
            for section in compound.findall("sectiondef"):
                for member in section.findall("memberdef"):
                    if kind == "file" and member.get("kind") != "define":
                        continue
                    self.add_member(member, None)
            return
        header, line = self.header_at(compound)
        if header is None or compound.get("prot") in ("private", "protected"):
            return
        name = Name(kind, qualified, None, line)
        name.compound = compound
        declaration = self.template(compound)
        if kind == "concept":
            declaration = text_of(compound.find("initializer")).strip().replace("concept asyncio::", "concept ")
        else:
            bases = [("virtual " if base.get("virt") == "virtual" else "") + text_of(base) for base in
                     compound.findall("basecompoundref") if "detail::" not in text_of(base)]
            declaration += f"{kind} {qualified.removeprefix('asyncio::')}" + (f" : {', '.join(bases)}" if bases else "")
        self.document(name, compound, tidy(declaration), line, header)
        self.enter(compound.get("id"), name, header)
        header.names.append(name)
        for section in compound.findall("sectiondef"):
            for member in section.findall("memberdef"):
                self.add_member(member, name)
        name.members.sort(key=lambda member: member.line)

    def add_members_of_bases(self, owner, compound, header):
        for reference in compound.findall("basecompoundref"):
            base = self.bases.get(re.sub(r"<.*", "", text_of(reference)).rpartition("::")[2])
            if base is None:
                continue
            for section in base.findall("sectiondef"):
                for member in section.findall("memberdef"):
                    self.add_member(member, owner, header)
            self.add_members_of_bases(owner, base, header)

    def add_member(self, member, owner, of_base_for=None):
        """of_base_for: the header of the owner, if the member is that of one of the SHARED_BASES."""
        kind, short = member.get("kind"), member.findtext("name")
        header, line = self.header_at(member)
        if of_base_for:
            header = of_base_for
            if short in SHARED_BASES:  # its constructor: inherited, unless the owner has its own, or passes it more
                short = owner.qualified.rpartition("::")[2]
                if "Items" in member.findtext("argsstring") or any(each.qualified.endswith(f"::{short}::{short}") for each in owner.members):
                    return
        if header is None or member.get("prot") != "public" or kind == "friend" or PLUMBING.match(short):
            return
        arguments = member.findtext("argsstring") or ""
        if "override" in (member.findtext("argsstring") or "") + (member.findtext("definition") or "") and not self.documented(member):
            return  # what it overrides says it
        if re.search(r"=\s*(delete|default)$", arguments) and not self.documented(member):
            return
        text = self.declaration(member, kind, short, arguments)
        if "detail::" in text and kind != "typedef" and not self.documented(member):
            return  # nobody else can call it
        if short.startswith("operator") and not self.documented(member):
            return
        qualified = f"{owner.qualified}::{short}" if owner else member.findtext("qualifiedname") or short
        container = owner.members if owner else header.names
        name = next((each for each in container if each.qualified == qualified), None)
        if name is None:
            name = Name(kind, qualified, owner, line)
            container.append(name)
        name.line = min(name.line, line)
        self.document(name, member, text, line, header)
        for value in member.findall("enumvalue"):
            about = lambda value=value: self.prose(value)
            name.overloads[-1].setdefault("values", []).append((value.findtext("name"), about))
            self.by_name.setdefault(value.findtext("name"), (name, header))
        self.enter(member.get("id"), name, header)

    def declaration(self, member, kind, short, arguments):
        kind_word = {"typedef": "using ", "enum": "enum class " if member.get("strong") == "yes" else "enum "}.get(kind, "")
        if kind == "define":
            return f"#define {short}"
        if kind == "enum":
            return f"{kind_word}{short}"
        if kind == "typedef":
            return tidy(f"{self.template(member)}using {short} = {text_of(member.find('type'))}")
        type_ = re.sub(r"^\s*(friend|inline)\s+", "", text_of(member.find("type")))
        prefix = "static " if member.get("static") == "yes" and "static" not in type_ else ""
        if member.get("virt") in ("virtual", "pure-virtual") and "virtual" not in type_:
            prefix += "virtual "
        if member.get("explicit") == "yes" and "explicit" not in type_:
            prefix += "explicit "
        value = member.findtext("initializer") if kind == "variable" else None
        value = f" {text_of(member.find('initializer'))}" if value is not None else ""
        return tidy(f"{self.template(member)}{prefix}{type_} {short}{arguments}{value}")

    def template(self, element):
        parameters = element.find("templateparamlist")
        if parameters is None:
            return ""
        each = []
        for parameter in parameters.findall("param"):
            each.append(" ".join(filter(None, [text_of(parameter.find("type")), parameter.findtext("declname")])) +
                        (f" = {text_of(parameter.find('defval'))}" if parameter.find("defval") is not None else ""))
        return f"template <{', '.join(each)}>\n"

    def documented(self, element):
        return any(text_of(element.find(tag)).strip() for tag in ("briefdescription", "detaileddescription"))

    def document(self, name, element, declaration, line, header):
        location = element.find("location")
        path = (location.get("declfile") or location.get("file")).removeprefix(f"{self.root}/")
        comment = "".join(text_of(element.find(tag)) for tag in ("briefdescription", "detaileddescription"))
        entry = {"declaration": declaration, "line": line, "path": path, "about": lambda: self.prose(element), "comment": comment}
        name.overloads.append(entry)
        if not self.documented(element):
            self.undocumented.append(f"{header.path}:{line}: {declaration}")

    def enter(self, identifier, name, header):
        self.where.setdefault(identifier, (name, header))
        self.by_name.setdefault(name.short, (name, header))

    def find(self, text):
        """The name that is written `Task<int>::cancel`, which may be that of a base class, and its header; or None."""
        short = without_arguments(text)
        found = self.by_name.get(short)
        scope, _, member = short.rpartition("::")
        owner = self.by_name.get(scope)
        if found or not owner or not hasattr(owner[0], "compound"):
            return found
        bases = (self.where.get(base.get("refid")) for base in owner[0].compound.findall("basecompoundref"))
        return next(filter(None, (self.find(f"{base[0].short}::{member}") for base in bases if base)), None)

    def prose(self, element):
        """The documentation as HTML. links: refid -> href or None."""
        return "".join(self.block(element.find(tag)) for tag in ("briefdescription", "detaileddescription")
                       if element.find(tag) is not None)

    link = staticmethod(lambda refid, header: None)

    def block(self, element):
        parts = []
        for child in element:
            parts.append(self.node(child))
        return "".join(parts)

    TAGS = {"para": "p", "computeroutput": "code", "emphasis": "em", "bold": "strong", "itemizedlist": "ul",
            "orderedlist": "ol", "listitem": "li", "programlisting": "pre", "verbatim": "pre", "preformatted": "pre"}
    WORDS = {"sp": " ", "ndash": "–", "mdash": "—", "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”",
             "nonbreakablespace": "\u00a0"}

    def node(self, element):
        inside = html.escape(element.text or "", quote=False)
        for child in element:
            inside += self.node(child) + html.escape(child.tail or "", quote=False)
        tag = element.tag
        if tag == "ref":
            href = self.link(element.get("refid"))
            return f'<a href="{href}">{inside}</a>' if href else inside
        if tag in ("programlisting",):
            return f"<pre><code>{inside}</code></pre>"
        if tag == "codeline":
            return inside + "\n"
        if tag == "highlight" or tag == "simplesect":
            return inside
        if tag == "ulink":
            return f'<a href="{html.escape(element.get("url"))}">{inside}</a>'
        if tag in self.TAGS:
            return f"<{self.TAGS[tag]}>{inside}</{self.TAGS[tag]}>"
        if tag in self.WORDS:
            return self.WORDS[tag]
        return inside


def tidy(text):
    text = re.sub(r"\s+", " ", text.replace("\n", "\0")).replace("\0 ", "\n").replace("\0", "\n").strip()
    text = re.sub(r" *< *", " <", text) if text.startswith("template") and "\n" not in text else text
    head, newline, rest = text.rpartition("\n")
    rest = re.sub(r"(?<=\w) ?< ", "<", rest)
    rest = re.sub(r" >", ">", rest)
    rest = re.sub(r" ([&*]+)(?=[\w,)>]|\.\.\.|$)", r"\1 ", rest).replace("& ,", "&,").replace("* ,", "*,")
    rest = re.sub(r"([&*]) +([,)>])", r"\1\2", rest).replace("& ...", "&... ").replace("  ", " ")
    rest = re.sub(r"(?<=[\w)}\]>])=(?=[\w{(\":])", " = ", rest).strip()
    return head + newline + rest


def public_headers(root):
    found = (str(path.relative_to(root)) for path in root.glob("stage*/**/asyncio/**/*.h"))
    return sorted({path for path in found if "/detail/" not in path})


def without_arguments(name):
    """`AsCompleted<Future<int>>::next` is AsCompleted::next."""
    shorter = re.sub(r"<[^<>]*>", "", name)
    return name if shorter == name else without_arguments(shorter)


def rows_of_api(text):
    """The rows of API.md: Python's name, ours, the stage, what differs and the test."""
    for line in text.split("\n"):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0].startswith("`"):
            yield cells


if __name__ == "__main__":
    import sys
    reference = Reference(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
    faults = [f"not documented: {line}" for line in sorted(reference.undocumented)]
    faults += [f"{header.path}: {fault}" for header in reference.headers.values() for fault in header.faults()]
    for python, cpp, *_ in rows_of_api((reference.root / "tests/conformance/API.md").read_text()):
        faults += [f"API.md: {python} is {name}, which is not in the reference" for name in re.findall(r"`([^`]*)`", cpp)
                   if not reference.find(name)]
    names = [name for header in reference.headers.values() for name in header.names]
    for fault in faults:
        print(fault)
    print(f"{len(reference.headers)} headers, {len(names)} names, {sum(len(name.members) for name in names)} members")
    sys.exit(bool(faults or len(names) < 200))
