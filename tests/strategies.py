"""Random answers to the `resources` question: legal ones of every kind, and damaged ones."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from macros import load_macros

PLURALS = load_macros("plurals")

AWKWARD_RESOURCES = """
    field page table query event session request response test_case match case order group user item
    status type limit index key value object property list string model schema router app test data
    news media address bus series class_room collection problem lateral detail column row
"""

AWKWARD_FIELDS = """
    date time datetime text uuid decimal enum email type order group limit offset default key
    value items keys values count index hash model_name request session db status format max min
    sum object property set tuple bytes next all any input filter map range user_id name title x
    no on off yes null none true select where table column primary unique optional as_ from_ class_
    ref on_delete
"""

# Names that the code of a rendered project, or of its tests, uses itself.
OF_THE_CODE = """
    api app body changed child client clock collection commit config connection created crud data
    detail dev engine enum error event factory field found func given health index joinedload key
    listed loading made make member message missing model module name number option paging parent
    param path payload pool probe problem process purge query request resource result router row
    select setting shown soft_delete statement status stored table taken target test total url
    value whole filters
"""

# The same with accounts, where `account` and `token` cannot be resources.
OF_ACCOUNTS = """
    auth identity identities issuer authorization anonymous open_session email other_client
    is_active
"""
FIELDS_OF_ACCOUNTS = f"account tokens scope failed_sign_in private public {OF_ACCOUNTS}"
ACCESS = ["private", "shared", "public"]

# Parts of longer names: short and long, with digits, and in capitals in a class.
PARTS = """
    a b2 x1 y z10 id2 ab big old line unit hour box day city reply kiss fox wish 2 10 007 3d
    customer warehouse measurement configuration acknowledgement
"""

DEFAULTS = {
    "text": ["'once upon a time'", "words"],
    "int": ["0", "-7", str(2**31 - 1), str(-(2**31))],
    "bigint": ["0", "1", str(2**63 - 1), str(-(2**63))],
    "float": ["0", "0.5", "-1.25", "1234567890.12345", "10"],
    "bool": ["true", "false"],
    "date": ["today"],
    "datetime": ["now"],
}
VALUES = "a B c_3 None name value mro self class_ str x__y z_ no I O password token"

LONGEST_NAME = 63
# A name and its class, which stand on one line of a model.
LONGEST_LINE = 60
LONGEST_RESOURCE = 40
CLASSES = ("", "Create", "Update", "Read", "Detail", "Page", "Query")
RESERVED_TABLES = {"as", "health", "lateral"}
RESERVED_MODULES = {"rows"}
RESERVED_CLASSES = {"Any", "Base", "Decimal"}


@dataclass
class Taken:
    """The names that a text has made so far, in Python and in the database."""

    classes: set[str] = field(default_factory=lambda: set(RESERVED_CLASSES))
    relations: set[str] = field(default_factory=set)

    def claim(self, classes: list[str], relations: list[str]) -> bool:
        """Take these names, unless one of them is taken or too long."""
        fits = all(len(name) <= LONGEST_NAME for name in relations)
        free = not self.classes.intersection(classes) | self.relations.intersection(relations)
        if not (fits and free):
            return False
        self.classes.update(classes)
        self.relations.update(relations)
        return True


@dataclass
class Resource:
    """The facts about a resource that refs and indexes depend on."""

    name: str
    table: str
    access: str
    has_owner: bool
    entries: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    indexed: dict[str, str] = field(default_factory=dict)
    few: set[str] = field(default_factory=set)
    collections: list[str] = field(default_factory=list)


def class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def names(*words: str, longest: int) -> st.SearchStrategy[str]:
    """Names of one of these words, or of several parts, up to a length."""
    known = [word for word in " ".join(words).split() if len(word) <= longest]
    parts = PARTS.split()
    long = st.lists(st.sampled_from(parts), min_size=1, max_size=20).map("_".join)
    made = long.map(lambda name: name[:longest].strip("_")).filter(lambda name: name[0].isalpha())
    return st.one_of(st.sampled_from(known), made) if known else made


@st.composite
def values(draw: st.DrawFn) -> list[str]:
    """Draw the values of an enum: they differ in more than their case."""
    value = st.one_of(
        st.sampled_from(VALUES.split()),
        st.integers(40, 50).map(lambda size: "many_words_" * 3 + "z" * (size - 33)),
        st.text("abcXYZ_019", min_size=1, max_size=50).map(lambda text: ("k" + text)[:50]),
    )
    return draw(st.lists(value, min_size=2, max_size=5, unique_by=str.lower))


@st.composite
def types(draw: st.DrawFn) -> tuple[str, str, list[str]]:
    """Draw a type: its name, how it is written, and defaults that fit it."""
    name = draw(st.sampled_from([*DEFAULTS, "str", "decimal", "enum", "uuid", "json", "email"]))
    match name:
        case "str":
            length = draw(st.sampled_from([1, 2, 5, 20, 200, 2600, 10485760]))
            words = ["x", "7", "it is", "new, order", "a (b) [c]", "-", "1.5 é", "true"]
            words += ["it’s 5–10 ×", "Email", "Date of Field"]  # noqa: RUF001
            words += ["the longest of the defaults that may be written, 50"]
            fitting = [f"'{word}'" for word in words if len(word) <= min(length, 50)]
            return name, f"str({length})", fitting
        case "decimal":
            digits = draw(st.sampled_from([1, 2, 3, 9, 12, 15, 28, 1000]))
            scale = draw(st.sampled_from([n for n in (0, 1, 2, 9, 12, 500, digits) if n <= digits]))
            defaults = ["0"] + ["1", "-1"] * (digits > scale) + ["0.5", "-0.5"] * (scale > 0)
            if digits - scale >= 2 and scale >= 2:
                defaults += ["12.50", "-99.99"]
            comma = draw(st.sampled_from([", ", " ", ","]))
            return name, f"decimal({digits}{comma}{scale})", defaults
        case "enum":
            members = draw(values())
            comma = draw(st.sampled_from([", ", " "]))
            return name, f"enum({comma.join(members)})", members
    return name, name, DEFAULTS.get(name, [])


def add_field(draw: st.DrawFn, resource: Resource, taken: Taken) -> None:
    """Give the resource one more field, unless its names are taken."""
    longest = draw(st.sampled_from([20, min(40, max(8, 52 - len(resource.table))), 40]))
    name = draw(names(AWKWARD_FIELDS, OF_THE_CODE, FIELDS_OF_ACCOUNTS, longest=longest))
    kind, type_, defaults = draw(types())
    optional = draw(st.booleans())
    unique, index = draw(st.sampled_from([(0, 0), (0, 0), (0, 1), (1, 0), (1, 1)]))
    default = draw(st.sampled_from([None, *defaults])) if defaults else None
    if kind in {"text", "json"} or type_ == "str(10485760)":
        unique = index = 0
    if default is not None or kind in {"bool", "enum"}:
        unique = 0
    classes = [class_name(resource.name) + class_name(name)] if kind == "enum" else []
    relations = [f"uq_{resource.table}_{name}_live"] if unique else []
    relations += [f"uq_{resource.table}_{name}"] if unique else []
    if index:
        relations += [f"ix_{resource.table}_{name}", f"ix_{resource.table}_{name}_live"]
    if name in resource.taken or any(len(name + each) > LONGEST_LINE for each in classes):
        return
    if not taken.claim(classes, relations):
        return
    resource.taken.add(name)
    if kind not in {"text", "json"}:
        resource.indexed[name] = name
        resource.few.update([name] if kind in {"bool", "enum"} else [])
        if kind == "str":
            resource.indexed[name] = name if type_ in {"str(1)", "str(20)", "str(200)"} else ""
    blank = draw(st.booleans()) if kind in {"str", "text"} else False
    words = (
        [type_]
        + ["optional"] * optional
        + ["blank"] * blank
        + ["unique"] * unique
        + ["index"] * index
    )
    if default is not None:
        words.append(f"default={default}")
    # Modifiers may be in any order.
    words[1:] = draw(st.permutations(words[1:]))
    resource.entries.append(f"{name}: {' '.join(words)}")


def add_ref(
    draw: st.DrawFn, resource: Resource, target: Resource, taken: Taken, *, later: bool
) -> None:
    """Give the resource a reference, unless its names are taken."""
    name = draw(
        names(AWKWARD_FIELDS, target.name, "parent", longest=20).filter(
            lambda name: not name.endswith("_id")
        )
    )
    unique = draw(st.sampled_from([False, False, True]))
    optional = later or draw(st.booleans())
    words = ["optional"] * optional + ["unique"] * unique + ["index"] * draw(st.booleans())
    on_delete = draw(st.sampled_from(["", "restrict", "cascade", "set_null"]))
    if ACCESS.index(target.access) < ACCESS.index(resource.access):
        return
    # A cascade may lead from rows that others see to any private row.
    if resource.access == "private" and resource.has_owner:
        on_delete = "set_null" if optional and on_delete == "set_null" else "cascade"
    if on_delete and (optional or on_delete != "set_null"):
        words.append(f"on_delete={on_delete}")
    end = f"{resource.table}_{name}_id"
    relations = [f"fk_{end}", f"ix_{end}", f"ix_{end}_live"]
    relations += [f"uq_{end}", f"uq_{end}_live"] if unique else []
    if {name, f"{name}_id"} & resource.taken or not taken.claim([], relations):
        return
    if len(name + class_name(target.name)) > LONGEST_LINE:
        return
    resource.taken.update((name, f"{name}_id"))
    resource.indexed[name] = f"{name}_id"
    if draw(st.booleans()):
        collection = draw(names(AWKWARD_FIELDS, OF_THE_CODE, resource.table, longest=40))
        fits = len(collection + class_name(resource.name)) <= LONGEST_LINE
        if fits and collection not in target.taken:
            target.taken.add(collection)
            target.collections.append(collection)
            words.append(f"as={collection}")
    words = draw(st.permutations(words))
    resource.entries.append(f"{name}: {' '.join([f'ref({target.name})', *words])}")


def add_groups(draw: st.DrawFn, resource: Resource, taken: Taken) -> None:
    """Give the resource indexes over several fields."""
    fields = [name for name, column in resource.indexed.items() if column]
    for option in ("_unique", "_index"):
        if len(fields) < 2 or not draw(st.booleans()):
            continue
        groups: list[list[str]] = []
        for _ in range(draw(st.integers(1, 2))):
            size = draw(st.integers(2, min(4, len(fields))))
            group = draw(st.permutations(fields))[:size]
            columns = "_".join(resource.indexed[name] for name in group)
            end = f"{resource.table}_{columns}"
            if option == "_unique" and resource.few.issuperset(group):
                continue
            same = [sorted(group) == sorted(other) for other in groups]
            relations = [f"uq_{end}", f"uq_{end}_live"] if option == "_unique" else [f"ix_{end}"]
            if not any(same) and taken.claim([], relations):
                groups.append(group)
        if option == "_index" and draw(st.booleans()):
            groups.append(["created_at"])
        listed = [f"[{', '.join(group)}]" for group in groups]
        if listed:
            value = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
            resource.entries.append(f"{option}: {value}")


def in_braces(entry: str) -> str:
    """Quote a type with a comma or a bracket of lists, which would end it between braces."""
    name, value = entry.split(": ", 1)
    lists = value.startswith("[")
    return f'{name}: "{value}"' if not lists and set(value) & set(",[]'") else entry


def written(draw: st.DrawFn, resource: Resource) -> str:
    """Write the resource down, in one form or the other."""
    if draw(st.booleans()):
        return f"{resource.name}: {{{', '.join(map(in_braces, resource.entries))}}}\n"
    remark = draw(st.sampled_from(["", "", f"  # {resource.name}"]))
    return f"{resource.name}:\n" + "".join(f"  {entry}{remark}\n" for entry in resource.entries)


@st.composite
def legal_texts(draw: st.DrawFn, most: int = 5, *, access: bool = False) -> str:
    """Draw answers with all types and modifiers, references in any direction, awkward names.

    Only those drawn with `access` go with accounts.
    """
    taken = Taken()
    resources: list[Resource] = []
    longest = draw(st.sampled_from([20, 36, LONGEST_RESOURCE]))
    for _ in range(draw(st.integers(1, most))):
        name = draw(names(AWKWARD_RESOURCES, OF_THE_CODE, OF_ACCOUNTS, longest=longest))
        plain = str(PLURALS.plural(name))
        table = draw(st.sampled_from([plain, plain, plain, name, f"{name}_2", "x_1"]))
        insists = table != plain or bool(str(PLURALS.singular(name)))
        kind = draw(st.sampled_from(ACCESS)) if access else "private"
        resource = Resource(name, table, kind, access)
        classes = [class_name(name) + end for end in CLASSES]
        ends = ("id_live", "deleted_at", "created_at", "created_at_live")
        ends += ("owner_id", "owner_id_live")
        relations = [table, f"pk_{table}", *(f"ix_{table}_{end}" for end in ends)]
        taken_names = RESERVED_MODULES.union(each.name for each in resources)
        if name in taken_names or table in RESERVED_TABLES:
            continue
        if taken.claim(classes, relations):
            resources.append(resource)
            resource.entries += [f"_plural: {table}"] * insists
            resource.entries += [f"_access: {resource.access}"] * (resource.access != "private")
    for place, resource in enumerate(resources):
        resource.taken.update(("owner", "owner_id") if access else ())
        for _ in range(draw(st.integers(1, 7))):
            add_field(draw, resource, taken)
        for _ in range(draw(st.integers(0, 3))):
            other = draw(st.integers(0, len(resources) - 1))
            add_ref(draw, resource, resources[other], taken, later=other >= place)
        add_groups(draw, resource, taken)
        if not resource.taken - {*resource.collections, "owner", "owner_id"}:
            resource.entries.append("only: int")
    for resource in resources:
        resource.entries = list(draw(st.permutations(resource.entries)))
    texts = [written(draw, resource) for resource in resources]
    return "".join(draw(st.permutations(texts)))


# --- Damage ----------------------------------------------------------------------------------

# Where to cut, how much to cut out, and what to put there.
Cut = tuple[int, int, str]

SIGNS = [*":,{}[]()'\"#?!|&*%@`=\\\t\r\n\0 -_", ": ", " #", "''", "  ", "é", "\u2028", "\ud800"]
WORDS = ["optional", "default=", "ref(", "_unique: ", "post", "null", "str(20)", "99999999999"]


def cuts() -> st.SearchStrategy[list[Cut]]:
    piece = st.one_of(st.sampled_from(SIGNS), st.sampled_from(WORDS), st.characters())
    cut = st.tuples(st.integers(0, 3000), st.integers(0, 6), piece)
    return st.lists(cut, min_size=1, max_size=3)


def damage(text: str, cuts: list[Cut]) -> str:
    """Replace some stretches of the text."""
    for at, length, piece in cuts:
        start = at % (len(text) + 1)
        text = text[:start] + piece + text[start + length :]
    return text
