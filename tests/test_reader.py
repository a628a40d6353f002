"""The reader of the `resources` answer: what it accepts, produces and refuses."""

import ast
import builtins
import json
import keyword
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import ChoiceLoader, DictLoader
from pydantic import BaseModel

from macros import ROOT, Renderer, load_macros
from strategies import AWKWARD_FIELDS, AWKWARD_RESOURCES, Cut, cuts, damage, legal_texts

DOMAINS = ROOT / "tests/data/domains"
EMPTY: dict[str, Any] = {"resources": [], "tables": [], "sorted": []}
READER = load_macros("resources")

# What a terminal of 80 columns shows in two lines after Copier's own words.
LONGEST_MESSAGE = 200

FIELD_KEYS = {
    "name",
    "column",
    "type",
    "optional",
    "blank",
    "unique",
    "index",
    "default",
    "sortable",
}
KEYS_OF_TYPE = {
    "str": {"length"},
    "decimal": {"precision", "scale"},
    "enum": {"values", "enum"},
    "ref": {"target", "on_delete", "as", "circular"},
}


def read(text: str) -> dict[str, Any]:
    return json.loads(READER.read(text))


def resource(text: str, name: str = "post") -> dict[str, Any]:
    assert READER.check(text) == ""
    return next(each for each in read(text)["resources"] if each["name"] == name)


def field(text: str, before: str = "") -> dict[str, Any]:
    """Read `text` as the only field of a resource `post`."""
    return resource(f"{before}post:\n  {text}\n")["fields"][0]


# --- What is taken ---------------------------------------------------------------------------

LEGAL_FIELDS = [
    ("title: str(200)", {"type": "str", "length": 200}),
    ("title: str( 1 )", {"length": 1}),
    ("title : str(200)", {"name": "title"}),
    ("title:   str(200)   optional   ", {"optional": True}),
    ("title: str(200) # the title", {"length": 200}),
    ('title: "str(200)"', {"length": 200}),
    ("title: 'str(200)'  # the title", {"length": 200}),
    ("title: 'str(20) default=''new order'''", {"default": "new order"}),
    ("title: str(20) default='new order'", {"default": "new order"}),
    ('title: str(20) default="new order"', {"default": "new order"}),
    ("title: str(20) default=new", {"default": "new"}),
    ("title: str(40) default=https://example.org/a?b=c", {"default": "https://example.org/a?b=c"}),
    ("title: str(20) default=Zürich", {"default": "Zürich"}),
    ("title: str(10485760)", {"length": 10485760}),
    ("body: text", {"type": "text"}),
    ("body: text default=none", {"default": "none"}),
    ("body: text optional default='none'", {"default": "none"}),
    ("n: int default=0", {"type": "int", "default": "0"}),
    ("n: int default=-2147483648", {"default": "-2147483648"}),
    ("n: bigint default=9223372036854775807", {"default": "9223372036854775807"}),
    ("n: float default=-0.5", {"default": "-0.5"}),
    ("n: decimal(12, 2)", {"precision": 12, "scale": 2}),
    ("n: decimal(12,2)", {"precision": 12, "scale": 2}),
    ("n: decimal(9 6)", {"precision": 9, "scale": 6}),
    ("n: decimal(9, 0) default=5", {"scale": 0, "default": "5"}),
    ("n: decimal(2, 2) default=0.25", {"default": "0.25"}),
    ("done: bool default=false", {"type": "bool", "default": "false"}),
    ("day: date default=today", {"default": "today"}),
    ("at: datetime default=now", {"default": "now"}),
    ("key: uuid unique", {"type": "uuid", "unique": True, "index": False}),
    ("meta: json optional", {"type": "json", "optional": True}),
    ("mode: enum(bus tram metro) default=bus", {"values": ["bus", "tram", "metro"]}),
    ("mode: enum(USD, EUR) default=EUR index", {"enum": "PostMode", "index": True}),
    ("mode: enum(in_progress, done2)", {"values": ["in_progress", "done2"]}),
    ("mail: email unique", {"type": "email"}),
    ("title: str(200) unique index", {"unique": True, "index": False}),
    ("title: str(200) index optional", {"index": True, "optional": True}),
    ("parent: ref(post) optional", {"column": "parent_id", "on_delete": "set_null", "index": True}),
    ("parent: ref(post) optional on_delete=cascade as=replies", {"as": "replies"}),
    ("parent: ref(post) optional unique", {"unique": True, "index": False, "circular": False}),
    ("class_: int", {"column": "class_"}),
]


@pytest.mark.parametrize(("text", "expected"), LEGAL_FIELDS, ids=[text for text, _ in LEGAL_FIELDS])
def test_legal_field(text: str, expected: dict[str, Any]) -> None:
    read_as = field(text)
    assert {key: read_as[key] for key in expected} == expected


@pytest.mark.parametrize("text", [text for text, _ in LEGAL_FIELDS])
def test_a_field_has_the_keys_of_its_type_and_no_others(text: str) -> None:
    read_as = field(text)
    assert set(read_as) == FIELD_KEYS | KEYS_OF_TYPE.get(read_as["type"], set())


LEGAL_TEXTS = {
    "nothing": ("", []),
    "blank lines and comments": ("\n\n  # nothing yet\n   \n# at all\n", []),
    "block form": ("post:\n  title: text\n", ["post"]),
    "block form, indented by one": ("post:\n title: text\n body: text\n", ["post"]),
    "block form, indented each its own way": (
        "post:\n a: text\ntag:\n    a: text\n",
        ["post", "tag"],
    ),
    "one-line form": ("post: {title: str(200), body: text}", ["post"]),
    "one-line form, narrow": ("post: {a: int,b: int}", ["post"]),
    "one-line form, quoted": ("post: {a: 'decimal(12, 2)', b: \"enum(x, y)\"}", ["post"]),
    "one-line form with a comma at the end": ("post: {a: int,}", ["post"]),
    "both forms": ("post:\n  a: int\ntag: {a: int}\nuser:\n  a: int", ["post", "tag", "user"]),
    "braces over several lines": (
        "post: {\n  a: int, # one\n  b: int\n}\ntag: {a: int}",
        ["post", "tag"],
    ),
    "comments everywhere": ("# a\npost: # b\n  # c\n\n  a: int # d\n#e\n", ["post"]),
    "line ends of Windows": ("post:\r\n  a: int  \r\n\r\ntag:\r\n  a: int\r\n", ["post", "tag"]),
    "line ends of old": ("post:\r  a: int\r", ["post"]),
    "blanks at the ends": ("post:  \n  a: int   \n   \n", ["post"]),
    "a byte order mark": ("\ufeffpost:\n  a: int\n", ["post"]),
    "a ref to what comes later": ("post:\n  by: ref(user)\nuser:\n  a: int\n", ["post", "user"]),
    "a plural insisted on": ("news_items:\n  a: int\n  _plural: news_items\n", ["news_items"]),
}


@pytest.mark.parametrize(("text", "names"), LEGAL_TEXTS.values(), ids=LEGAL_TEXTS)
def test_legal_text(text: str, names: list[str]) -> None:
    assert READER.check(text) == ""
    assert [each["name"] for each in read(text)["resources"]] == names


@pytest.mark.parametrize("name", AWKWARD_RESOURCES.split())
def test_awkward_resource_is_legal(name: str) -> None:
    assert (
        READER.check(f"{name}:\n  name: str(10)\n  parent: ref({name}) optional as=below\n") == ""
    )


def test_awkward_fields_are_legal() -> None:
    assert (
        READER.check("post:\n" + "".join(f"  {name}: int\n" for name in AWKWARD_FIELDS.split()))
        == ""
    )
    assert (
        READER.check(
            "user:\n  a: int\npost:\n"
            + "".join(
                f"  {name}: ref(user)\n" for name in AWKWARD_FIELDS.split() if name != "user_id"
            )
        )
        == ""
    )


@pytest.mark.parametrize("name", [name for name in dir(BaseModel) if name[0] != "_"])
def test_names_of_pydantic_are_refused(name: str) -> None:
    assert "a name of Pydantic" in READER.check(f"post:\n  {name}: int\n")


@pytest.mark.parametrize("name", [name for name in keyword.kwlist if name.islower()])
def test_keywords_are_refused(name: str) -> None:
    assert "a Python keyword" in READER.check(f"post:\n  {name}: int\n")
    assert "a Python keyword" in READER.check(f"{name}:\n  n: int\n")


@pytest.mark.parametrize("name", [name for name in dir(builtins) if name[0].isupper()])
def test_classes_of_python_are_refused(name: str) -> None:
    words = re.sub(r"(?<=.)(?=[A-Z])", "_", name).lower()
    assert f"its class {name} " in READER.check(f"{words}:\n  n: int\n")


def every_type() -> str:
    """Return a resource `post` with a field of each type, indexed where possible."""
    lines = [
        f"  {name}_1: {facets['write']}{' index' * facets['indexed']}\n"
        for name, facets in load_macros("types").TYPES.items()
    ]
    text = "".join(lines).replace("resource", "tag").replace("decimal(12", "decimal(20")
    return f"tag: {{n: int}}\npost:\n{text}"


@pytest.mark.parametrize(
    "variant",
    [
        {"soft_delete": True},
        {"mode": "sync", "auth": "tokens"},
        {"database": "sqlite", "soft_delete": True, "auth": "oidc"},
    ],
    ids=str,
)
def test_classes_that_the_code_imports_are_refused(variant: dict[str, Any]) -> None:
    files = dict(Renderer().render({"resources": every_type(), **variant}))
    # FastAPI adds the first two to the OpenAPI document, app/openapi.py the third.
    taken = {"HTTPValidationError", "ValidationError", "FieldError"}
    for path in ("app/db/models/post.py", "app/schemas/post.py", "tests/factories/post.py"):
        for node in ast.walk(ast.parse(files[path])):
            if isinstance(node, ast.ImportFrom) and "post" not in str(node.module):
                taken.update(alias.asname or alias.name for alias in node.names)
    assert {"Mapped", "NonBlank", "StrictInt32", "NUMBERS"} <= taken
    for name in taken - {"Tag"}:
        # An enum is named after its resource and its field.
        words = re.findall(r"[A-Z][^A-Z_]*", name)
        if len(words) > 1 and "".join(words) == name:
            text = f"{words[0]}: {{{'_'.join(words[1:])}: enum(a b)}}".lower()
            assert READER.check(text, variant.get("auth", "")), name


# --- What is made of it ----------------------------------------------------------------------


def test_one_name_four_shapes() -> None:
    line = resource("order_line:\n  a: int\n", "order_line")
    assert [line[key] for key in ("cls", "table", "path", "title")] == [
        "OrderLine",
        "order_lines",
        "order-lines",
        "order line",
    ]


def test_plural_overrides_table_and_path() -> None:
    staff = resource("staff_member:\n  a: int\n  _plural: our_staff\n", "staff_member")
    assert (staff["table"], staff["path"]) == ("our_staff", "our-staff")


def test_a_ref_knows_its_target() -> None:
    text = "order_line:\n  a: int\npost:\n  line: ref(order_line)\n"
    assert resource(text)["fields"] == [
        {
            "name": "line",
            "column": "line_id",
            "type": "ref",
            "optional": False,
            "blank": False,
            "unique": False,
            "index": True,
            "default": None,
            "sortable": False,
            "target": {
                "name": "order_line",
                "cls": "OrderLine",
                "table": "order_lines",
                "path": "order-lines",
                "title": "order line",
                "access": "private",
            },
            "on_delete": "restrict",
            "as": "",
            "circular": False,
        }
    ]


def test_collections_are_on_the_other_side() -> None:
    text = """
post: {author: ref(user) as=posts}
talk: {by: ref(user) as=talks}
user: {name: text}
"""
    user = resource(text, "user")
    assert user["collections"][0] == {
        "name": "posts",
        "unique": False,
        "resource": "post",
        "cls": "Post",
        "table": "posts",
        "field": "author",
        "column": "author_id",
    }
    assert [each["name"] for each in user["collections"]] == ["posts", "talks"]


def test_indexes_are_lists_of_columns() -> None:
    text = """
user: {name: text}
post:
  _unique: [author, slug]
  slug: str(20)
  author: ref(user)
  day: date
  _index: [[day, author], [author, day]]
"""
    post = resource(text)
    assert post["uniques"] == [["author_id", "slug"]]
    assert post["indexes"] == [["day", "author_id"], ["author_id", "day"]]
    assert [each["name"] for each in post["fields"]] == ["slug", "author", "day"]


def test_trailing_underscore_is_not_a_space_in_texts() -> None:
    text = "post: {class_: enum(a b), from_: str(20), in_: text}"
    files = dict(Renderer().render({"resources": text}))
    assert '"""Class of posts."""' in files["app/enums/post.py"]
    factory = files["tests/factories/post.py"]
    assert '"from_": f"from {n}"' in factory
    assert '"in_": f"in {n}"' in factory


SORTS = {
    "the key": ("a: int", ["id"]),
    "indexed and required": (
        "a: int index, b: str(9) unique, c: date index",
        ["id", "a", "b", "c"],
    ),
    "not what may be null": ("a: int index optional, b: str(9) unique optional", ["id"]),
    "not a reference": ("a: ref(post) optional unique, b: ref(tag)", ["id"]),
    "by time": ("a: int, _index: [created_at]", ["id", "created_at"]),
    "by time, among others": (
        "a: int index, b: int, _index: [[a, b], [created_at]]",
        ["id", "a", "created_at"],
    ),
}


@pytest.mark.parametrize(("fields", "columns"), SORTS.values(), ids=SORTS)
def test_sorts_are_the_columns_with_an_index(fields: str, columns: list[str]) -> None:
    post = resource(f"post: {{{fields}}}\ntag: {{n: int}}")
    assert post["sorts"] == columns
    assert ["created_at"] not in post["indexes"]


ORDERS = {
    "as written": ("a1: {n: int}\nb1: {n: int}", ["a1", "b1"], []),
    "after what it refers to": (
        "a1: {b: ref(b1)}\nb1: {c: ref(c1)}\nc1: {n: int}",
        ["c1", "b1", "a1"],
        [],
    ),
    "a self-reference": ("a1: {a: ref(a1) optional}", ["a1"], []),
    "a circle": ("a1: {b: ref(b1)}\nb1: {a: ref(a1) optional}", ["b1", "a1"], ["b1.a"]),
    "a circle, both optional": (
        "a1: {b: ref(b1) optional}\nb1: {a: ref(a1) optional}",
        ["a1", "b1"],
        ["a1.b"],
    ),
    "what hangs on a circle waits for it": (
        "note: {a: ref(a1) optional}\na1: {b: ref(b1) optional}\nb1: {a: ref(a1)}",
        ["a1", "note", "b1"],
        ["a1.b"],
    ),
    "two circles": (
        """
a1: {b: ref(b1) optional, d: ref(d1)}
b1: {a: ref(a1)}
c1: {d: ref(d1) optional}
d1: {c: ref(c1)}
""",
        ["c1", "d1", "a1", "b1"],
        ["c1.d", "a1.b"],
    ),
}


@pytest.mark.parametrize(("text", "tables", "circular"), ORDERS.values(), ids=ORDERS)
def test_order_of_tables(text: str, tables: list[str], circular: list[str]) -> None:
    assert READER.check(text) == ""
    domain = read(text)
    assert domain["tables"] == tables
    found = [
        f"{each['name']}.{field['name']}"
        for name in tables
        for each in domain["resources"]
        if each["name"] == name
        for field in each["fields"]
        if field.get("circular")
    ]
    assert found == circular


def test_names_are_sorted_as_imports_are() -> None:
    """The order of isort and ruff: numbers by value, `_` before letters and after digits."""
    order = "line line2 line12 line_3 line_10 line_a lineage note007 note9 note10"
    text = "".join(f"{name}: {{n: int}}\n" for name in sorted(order.split()))
    assert " ".join(read(text)["sorted"]) == order


def test_both_forms_read_alike() -> None:
    block = (
        "user:\n  name: str(20)\npost:\n  n: decimal(12, 2)\n  by: ref(user)\n  _unique: [n, by]\n"
    )
    braces = "user: {name: str(20)}\npost: {n: decimal(12 2), by: ref(user), _unique: [n, by]}"
    assert read(block) == read(braces)


# --- What is refused -------------------------------------------------------------------------

# A field of `post`, in line 2, and what the refusal holds.
BAD_FIELDS: dict[str, list[tuple[str, str]]] = {
    "foreign types": [
        ("title: string", 'no type is called "string"; use str(n)'),
        ("title: String?", 'no type is called "String"; use str(n)'),
        ("title: varchar(200) not null", 'no type is called "varchar"; use str(n)'),
        ("title: models.CharField(max_length=200)", "use str(n)"),
        ("title: Text", 'no type is called "Text"; use text'),
        ("n: integer", "use int"),
        ("n: int(11)", "int takes no parentheses; use int"),
        ("n: number", "use int, float or decimal(12, 2)"),
        ("kind: enum(a, b) unique", "unique allows few rows; leave it out"),
        ("n: money", "use decimal(12, 2)"),
        ("n: serial", "id is always there"),
        ("n: timestamp", "use datetime"),
        ("n: time", "use str(5)"),
        ("n: boolean", "use bool"),
        ("n: jsonb", "use json"),
        ("n: array(str)", "use json, or a resource of its own"),
        ("n: str(20)[]", "no lists in a field"),
        ("n: string[]", "no lists in a field"),
        ("n: list[str]", "use json, or a resource of its own"),
        ("n: file", "use str(n) for its path or URL"),
        ("n: flaot", "use float"),
        ("n: strr(20)", "use str(n)"),
        ("n: xyzzy", "use one of str, text, int"),
        ("n: post", "use ref(post)"),
        ("n: Post", "use ref(post)"),
        ("n: references post", "use ref(post)"),
        ("post: belongs_to", "use ref(post)"),
        ("n: ForeignKey('Post', on_delete=CASCADE)", "use ref(post)"),
        ("n: OneToOneField(post)", "use ref(post) unique"),
        ("posts: has_many(post)", "use ref(post) as=posts there"),
        ("tags: many(tag)", "post_tag: {post: ref(post), tag: ref(tag), _unique: [post, tag]}"),
        ("tags: Tag[]", "for one-to-many use ref(post) as=tags in tag; for many-to-many, a"),
        ("tags: Tag[]", "a resource post_tag that refers to both"),
        ("n: inet", "use str(n)"),
        ("title: mapped_column(String(100))", 'no type is called "mapped_column"; use one of'),
        ("plural: people", "use _plural: people"),
        ("plural: posts", "use _plural: people"),
        ("access: public", "use _access: shared or public"),
        ("access: post", "use ref(post)"),
        ("index: strr(20)", "use str(n)"),
        ("tags: ManyToManyField(tags)", "post_tags: {post: ref(post)"),
        ("posts: many(posts)", "post_link: {from_post: ref(post), to_post: ref(post)"),
    ],
    "shape": [
        ("title:", "no type"),
        ("title: # later", "no type"),
        ('title: ""', "no type"),
        ("title: [str(20)]", "expected a type and modifiers, not a list; use title: str(200)"),
        ("title: {type: str}", "expected a type and modifiers, not braces"),
        ("unique: [x, y]", "use _unique: [x, y]"),
        ("index: [created_at]", "use _index: [created_at]"),
        ("title:str(20)", "put a space after the colon"),
        ("title str(20)", "no colon"),
        ("- title: str(20)", "without the dash"),
        ("title: str(20) text", "two types, str and text"),
        ("title: text str(20)", "two types, text and str(20)"),
        ("title: optional str(20)", "the type comes first"),
        ("title: optional", "no type before"),
        ("title: str(20): text", "unexpected colon"),
        ("title: text: x", "unexpected colon"),
        ("title: text x: y", "unexpected colon"),
        ("title: text default=a: b", "unexpected colon"),
        (
            "title: str(20)?",
            'no "?" here; a field that may be null is optional; use str(20) optional',
        ),
        ("title: str(20) ?", "use optional"),
        ("title: str(20)!", 'no "!"'),
        ("title: str(20), optional", 'no ","'),
        ("title: str(20) optional, unique", 'no ","'),
        ("title: str(20);", 'no ";"'),
        ("title: str(20)# x", "a space before the #"),
        ("title: str(20) unique# x", "a space before the #"),
        ("title: str(20) // x", "begin one with #"),
        ("title: str(20) -- x", "begin one with #"),
        ('title: "str(20)', "quotes go around the whole value"),
        ('title: "str(20)" optional', "quotes go around the whole value"),
        ('title: "str(20) default=\\"x\\""', "without a backslash"),
        ("title: &a str(20)", "no type is called"),
        ("title: *a", "no type is called"),
        ("title: !!str x", "no type is called"),
        ("title: |", "no type is called"),
        ("title: str(20)\toptional", "a tab"),
        ("\ttitle: str(20)", "a tab"),
        ("title: str(20)\x00", "an invisible character"),
        ("title: str(20)\x0b", "an invisible character"),
        ("title: str(20)\u00a0optional", "an invisible character"),
        ("title: text # \u2028", "an invisible character"),
        ("}", "closes nothing"),
        ("---", "leave out"),
    ],
    "arguments": [
        ("n: str", "str needs a length; use str(200)"),
        ("n: str()", "str needs a length"),
        ("n: str(0)", "not a length"),
        ("n: str(-1)", "not a length"),
        ("n: str(01)", "not a length"),
        ("n: str(1.5)", "not a length"),
        ("n: str(2, 3)", "not a length"),
        ("n: str(n)", "not a length"),
        ("n: str(²)", "not a length"),
        ("n: str(10485761)", "use text"),
        ("n: str (20)", "use str(20)"),
        ("n: str 20", "use str(20)"),
        ("n: str(20", "the parenthesis ( is not closed; use str(20)"),
        ("n: str(20))", "unbalanced parentheses"),
        ("n: str[20]", "use str(200)"),
        ("n: decimal", "decimal needs its digits; use decimal(12, 2)"),
        ("n: decimal(12)", "use decimal(12, 2)"),
        ("n: decimal(12, 2, 1)", "use decimal(12, 2)"),
        ("n: decimal(12.2)", "use decimal(12, 2)"),
        ("n: decimal(0, 0)", "use decimal(12, 2)"),
        ("n: decimal(12,,2)", "unexpected comma"),
        ("n: decimal(2, 12)", "use decimal(12, 2)"),
        ("n: decimal(1001, 2)", "PostgreSQL allows at most 1000 digits, not 1001"),
        ("n: bool()", "bool takes no parentheses"),
        ("n: enum", "enum needs its values"),
        ("n: enum()", "enum needs its values"),
        ("n: enum(a)", "at least two values"),
        ("n: enum(a, A)", '"A" appears twice in the enum; values must differ by more than case'),
        ("n: enum(a,, b)", "unexpected comma"),
        ("n: enum(a, b,)", "unexpected comma"),
        ("n: enum(1a, b)", "begin with a letter"),
        ("n: enum(_a, b)", "begin with a letter"),
        ("n: enum(a-b, c)", "letters, digits and underscores"),
        ("n: enum(ä, b)", "begin with a letter"),
        ("n: enum('a', 'b')", "no quotes"),
        ("n: enum(new order, done)", "use new_order"),
        (f"n: enum({'a' * 51}, b)", "50 characters"),
        ("n: ref", "ref needs a resource"),
        ("n: ref()", "ref needs a resource"),
        ("n: ref(post, tag)", "to one resource"),
    ],
    "words": [
        ("n: int nullable", "use optional"),
        ("n: int null", "use optional"),
        ("n: int null=True", "use optional"),
        ("n: int null=False", "a field is required unless optional"),
        ("n: int required", "a field is required unless optional"),
        ("n: int required=false", "use optional"),
        ("n: int | None", "use optional"),
        ("n: int not null", "a field is required unless optional"),
        ("n: int pk", "id is always there"),
        ("n: int @unique", "use unique"),
        ("n: int unique=true", "use unique"),
        ("n: int unique=false", "leave it out"),
        ("n: int db_index", "use index"),
        ("n: str(20) max_length=30", "in parentheses"),
        ("n: str(20) minlength(3)", "to the schema"),
        ("n: int uniqe", "use unique"),
        ("n: int OPTIONAL", "use optional"),
        ("n: int xyzzy", "use one of optional, blank, unique, index"),
        ("n: int optional optional", "optional twice"),
        ("n: int default=1 default=1", "default twice"),
        ("n: int on_delete=cascade", "belongs to a ref"),
        ("n: int as=posts", "belongs to a ref"),
        ("n: ref(post) optional cascade", "use on_delete=cascade"),
        ("n: ref(post) optional on_delete=CASCADE", "use on_delete=cascade"),
        ("n: ref(post) optional on_delete=set_nul", "use on_delete=set_null"),
        ("n: ref(post) optional on_delete=drop", "restrict, cascade or set_null"),
        ("n: ref(post) optional on_delete", "no value after on_delete"),
        ("n: ref(post) on_delete=set_null", "so it must be optional"),
        ("n: ref(post) optional related_name=posts", "use as=name"),
    ],
    "defaults": [
        ("n: int default=lots", "not a whole number"),
        ("n: int default=1.5", "not a whole number"),
        ("n: int default=007", "not a whole number"),
        ("n: int default=1_000", "not a whole number"),
        ("n: int default=٣", "not a whole number"),
        ("n: int default=2147483648", "32 bits; use bigint"),
        ("n: bigint default=9223372036854775808", "64 bits"),
        ('n: int default="5"', "use default=5"),
        ("n: int default=", "no value after default"),
        ("n: int default = 5", "without spaces around ="),
        ("n: int default 5", "use default=value"),
        ("n: int default: 5", "unexpected colon"),
        ("n: int unique default=5", "on a unique field"),
        ("n: float default=nan", "not a number"),
        ("n: float default=1e5", "not a number"),
        ("n: float default=-0.0", "not a number"),
        ("n: float default=0.12345678901234567", "more digits than a float keeps"),
        ("n: decimal(4, 2) default=100", "too many digits"),
        ("n: decimal(4, 2) default=1.234", "too many digits"),
        ("n: decimal(2, 2) default=1", "too many digits"),
        ("n: bool default=yes", "use default=true or default=false"),
        ("n: bool default=True", "use default=true or default=false"),
        ("n: date default=2026-02-28", "use default=today"),
        ("n: date default=now", "use default=today"),
        ("n: datetime default=2026-01-31T12:00:00Z", "use default=now"),
        ("n: datetime default=now()", "use default=now"),
        ("n: json default=x", "no default on json"),
        ("n: uuid default=uuid4", "no default on uuid"),
        ("n: email default=a@example.org", "no default on email"),
        ("n: ref(post) optional default=1", "no default on ref"),
        ("n: enum(draft, published) default=drafted", "use default=draft"),
        ("n: enum(draft, published) default=Published", "use default=published"),
        ("n: str(3) default=abcd", "longer than 3 characters"),
        ("n: text default=" + "a" * 51, "longer than 50 characters"),
        ("n: str(20) default=''", "an empty default"),
        ("n: str(20) default=' a'", "a space"),
        ("n: str(20) default=new order", "needs quotes"),
        ("n: str(20) default=a(b)", "needs quotes"),
        ("n: str(20) default=it's", "unbalanced quotes"),
        ("n: str(20) default=x;", "needs quotes"),
        ("n: str(20) optional default=null", "null without a default; leave it out, or use quotes"),
        ("n: text default=None optional", "null without a default"),
        ("n: str(20) default={{x}}", "cannot contain quotes, backslashes, braces, %, $ or `"),
        ("n: str(20) default='100%'", "%"),
        ("n: str(20) default='a: b'", "unexpected colon"),
    ],
    "indexes": [
        ("n: text unique", "no unique on text"),
        ("n: json index", "no index on json"),
        ("n: str(3000) index", "too long for index"),
        ("n: bool unique", "few rows"),
    ],
    "references": [
        ("n: ref(xyzzy)", "there is post"),
        ("n: ref(pots) optional", "use ref(post)"),
        ("n: ref(Post) optional", "use ref(post)"),
        ("n: ref(posts) optional", "is a plural; use ref(post)"),
        ("n: ref(post)", "a ref to itself must be optional"),
        ("post_id: ref(post) optional", "use post: ref(post)"),
        ("n: ref(post) optional as=n", "already has a field n"),
        ("n: ref(post) optional as=n_id", "already has a field n_id"),
        ("n: ref(post) optional as=Replies", "use replies"),
        ("n: ref(post) optional as=id", "always there"),
        ("n: ref(post) optional as=metadata", "a name of SQLAlchemy"),
        ("n: ref(post) optional as=", "no value after as"),
    ],
    "names": [
        ("Title: text", "use title"),
        ("postTitle: text", "use post_title"),
        ("post-title: text", "use post_title"),
        ("post title: text", "use post_title"),
        ('"title": text', "no quotes around a name"),
        ("1st: text", "begin with a letter"),
        ("größe: text", "use the letters a to z"),
        ("a__b: text", "use a_b"),
        (": text", "no name before the colon"),
        ("from: text", '"from" is a Python keyword'),
        ("id: int", '"id" is always there; leave it out'),
        ("created_at: datetime", "always there"),
        ("updated_at: datetime", "always there"),
        ("deleted_at: datetime", "reserved for soft delete"),
        ("metadata: json", "a name of SQLAlchemy"),
        ("registry: text", "a name of SQLAlchemy"),
        ("copy: text", "a name of Pydantic"),
        ("model_fields: text", "a name of Pydantic"),
        ("model_dump_all: text", "begins like a name of Pydantic"),
        ("str: text", "the class bodies use"),
        ("xmin: int", "PostgreSQL reserves"),
        ("system_user: text", "PostgreSQL reserves"),
        (f"{'a' * 41}: int", "41 characters; a name has at most 40"),
        ("page: enum(a, b)", "its class PostPage is already one of post"),
        (f"{'a' * 29}: enum(a, b)", "over 60 characters"),
        ("id_live: int index", "its name ix_posts_id_live is already one of post"),
        ("_titel: x", "no such option"),
        ("_uniqe: [a, b]", "use _unique: [a, b]"),
        ("_table: posts", "use _plural: people"),
    ],
}

# Fields `a` and `b` and a text `t` come before the option, in line 5.
BAD_OPTIONS = [
    ("_unique: a, b", "expected a list of fields in brackets; use _unique: [a, b]"),
    ("_unique: []", "expected a list of fields in brackets; use _unique: [a, b]"),
    ("_unique:", "expected a list of fields in brackets; use _unique: [a, b]"),
    ("_unique: [a, b", "expected a list of fields in brackets; use _unique: [a, b]"),
    ("_unique: [[a, b], a]", "expected a list of fields in brackets; use _unique: [a, b]"),
    ("_unique: [[a, b] [b, a]]", "expected a list of fields in brackets; use _unique: [a, b]"),
    ("_unique: [[], [a, b]]", "an empty list"),
    ("_unique: [[[a, b]]]", "expected a list of fields in brackets; use _unique: [a, b]"),
    ("_unique: [a, b,]", "unexpected comma"),
    ("_unique: [a b]", "use [a, b]"),
    ("_index: [a desc, b]", "no order in an index; use a"),
    ("_unique: ['a', 'b']", "no quotes"),
    ("_unique: [a]", "use unique after a"),
    ("_index: [a]", "use index after a"),
    ("_unique: [a, a]", "a field appears twice"),
    ("_unique: [[a, b], [b, a]]", "[b, a] appears twice"),
    ("_index: [[a, b], [a, b]]", "[a, b] appears twice"),
    ("_unique: [a, c]", 'no field is called "c"; there are a, b, t'),
    ("_unique: [a, b_id]", "b_id is a column; use the field, b"),
    ("_unique: [a, t]", "no index on text"),
    ("_index: [a, created_at]", "only _index: [created_at]"),
    ("_index: [[created_at], [created_at]]", "[created_at] appears twice"),
    ("_index: [updated_at]", "only _index: [created_at]"),
    ("_unique: [created_at]", "only _index: [created_at]"),
    ("_plural:", "a single name"),
    ("_plural: [posts]", "a single name"),
    ("_plural: Posts", "use posts"),
    ("_plural: our posts", "use our_posts"),
    ("_plural: class", "a Python keyword"),
    ("_plural: docs", "API documentation"),
    ("_plural: health", "a route of the app"),
    ("_plural: alembic_version", "Alembic"),
    ("_plural: pg_class", "the database reserves"),
    ("_plural: sqlite_master", "the database reserves"),
    ("_plural: returning", "reserved by PostgreSQL"),
    ("_access:", "use shared or public, or leave it out"),
    ("_access: everyone", "use shared or public, or leave it out"),
    ("_access: Public", 'unknown access "Public"; use public'),
    ("_access: shred", "use shared"),
    ("_access: [shared]", "use shared"),
    ("_access: shared public", "unknown access"),
    ("_access: private", "rows are private without it; leave it out"),
    ("_acess: shared", "use _access: shared or public"),
]

# What a refusal begins with, and what it holds.
BAD_TEXTS = {
    "a name alone": ("post", "line 1: ", "no colon"),
    "no fields": ("post:\n", "line 1: post: ", "no fields"),
    "no fields in braces": ("post: {}", "line 1: post: ", "no fields"),
    "only an option": ("post:\n  _plural: posts\n", "line 1: post: ", "no fields"),
    "a type for a resource": ("post: str(20)", "line 1: post: ", "fields on lines below"),
    "a list for a resource": ("post: [a, b]", "line 1: post: ", "fields on lines below"),
    "a list of resources": ("- post:\n    a: int", "line 1: ", "without the dash"),
    "brackets around all": ("{post: {a: int}}", "line 1: ", "no brackets around the whole"),
    "JSON": ('{"post": {"a": "int"}}', "line 1: ", "no brackets around the whole"),
    "Prisma": ("model Post {\n  id Int @id\n}", "line 1: ", "no colon"),
    "SQL": ("CREATE TABLE post (id int);", "line 1: ", "no colon"),
    "Rails": ("post title:string", "line 1: ", "no colon"),
    "Django": ("class Post(models.Model):\n    title = x()", "line 1: ", "not a name"),
    "a document mark": ("---\npost: {a: int}", "line 1: ", "leave out"),
    "two documents": ("post: {a: int}\n---\ntag: {a: int}", "line 2: ", "leave out"),
    "an anchor": ("post: &x {a: int}", "line 1: post: ", "not"),
    "a merge": ("post:\n  <<: *x", "line 2: post.<<: ", "not a name"),
    "a field at the left edge": (
        "post:\n  a: int\nbody: text",
        "line 3: body: ",
        "a field of post is indented",
    ),
    "two long names": (
        f"{'long_' * 7}name:\n  a: int\n{'wide_' * 7}name: :{{_plural: {'wide_' * 7}names}}",
        f"line 3: {'wide_' * 7}name: ",
        "a field of long_long_long_lo... is indented",
    ),
    "a backslash in a name": ("a\\g: {b: int}", "line 1: a\\g: ", "not a name"),
    "a field of no resource": ("  a: int\n", "line 1: ", "this field belongs to no resource"),
    "indented too far": ("post:\n  a: int\n   b: int", "line 3: post.b: ", "indented by 3"),
    "indented too little": ("post:\n  a: int\n b: int", "line 3: post.b: ", "indented by 1"),
    "a mapping for a type": ("post:\n  a:\n    type: str(20)", "line 2: post.a: ", "no type"),
    "a resource twice": (
        "post: {a: int}\npost: {b: int}",
        "line 2: post: ",
        "twice; the first is on line 1",
    ),
    "a field twice": (
        "post:\n  a: int\n  a: text",
        "line 3: post.a: ",
        "twice; the first is on line 2",
    ),
    "an option twice": (
        "post: {a: int, b: int, _index: [a, b], _index: [b, a]}",
        "line 1: post._index: ",
        "twice",
    ),
    # Braces.
    "not closed": ("post: {a: int", "line 1: post: ", "not closed"),
    "not closed before another": (
        "post: {a: int\ntag: {a: int}",
        "line 1: post: ",
        "not closed before line 2",
    ),
    "closed twice": ("post: {a: int}}", "line 1: post: ", "nothing may follow"),
    "two on a line": ("post: {a: int}, tag: {a: int}", "line 1: post: ", "nothing may follow"),
    "no type in braces": ("post: {a, b: int}", "line 1: post.a: ", "no type"),
    "no blank in braces": ("post: {a:int}", "line 1: post.a:int: ", "a space after the colon"),
    "no blank before braces": ("post:{a: int}", "line 1: post:{a: ", "a space after the colon"),
    "no comma": ("post: {a: int b: int}", "line 1: post.a: ", "missing comma"),
    "no comma after quotes": (
        "post: {a: 'str(20)' unique}",
        "line 1: post.a: ",
        "a comma is missing",
    ),
    "two commas": ("post: {a: int,, b: int}", "line 1: post: ", "unexpected comma"),
    "a comma first": ("post: {, a: int}", "line 1: post: ", "unexpected comma"),
    "a comma cut": (
        "post: {a: decimal(12, 2) optional}",
        "line 1: post.a: ",
        '"decimal(12 2) optional" with spaces',
    ),
    "a comma cut, not closed": ("post: {a: enum(x, b: int}", "line 1: post.a: ", "( is not closed"),
    "a comma in a default": (
        "post: {a: str(9) default='x, y'}",
        "line 1: post.a: ",
        "quotes around the whole",
    ),
    "braces in braces": ("post: {a: {type: str}, b: int}", "line 1: post.a: ", "not braces"),
    "a list in braces": ("post: {a: [int]}", "line 1: post.a: ", "not a list"),
    "a question mark in braces": ("post: {a: str(20)?}", "line 1: post.a: ", "optional"),
    "a quote not closed": ("post: {a: 'str(20)}", "line 1: post.a: ", "not closed"),
    "a list not closed": (
        "post: {a: int, _index: [a, b}",
        "line 1: post._index: ",
        "[ is not closed",
    ),
    "a list closed twice": (
        "post: {a: int, b: int, _index: [a, b]]}",
        "line 1: post._index: ",
        '"]"',
    ),
    "a value over two lines": (
        "post: {a: str(20)\n  unique}",
        "line 1: post.a: ",
        "missing comma",
    ),
    "the right line in braces": (
        "post: {\n  a: int,\n  b: strr(2)\n}",
        "line 3: post.b: ",
        "no type",
    ),
    # Names of resources, tables, classes, indexes.
    "capital letters": ("Post:\n  a: int", "line 1: Post: ", "use post"),
    "camel case": ("orderLine:\n  a: int", "line 1: orderLine: ", "use order_line"),
    "dashes": ("order-line:\n  a: int", "line 1: order-line: ", "use order_line"),
    "a plural": ("users:\n  a: int", "line 1: users: ", "`user`, or keep it with _plural: users"),
    "a plural without s": ("people:\n  a: int", "line 1: people: ", "`person`"),
    "a plural in capitals": ("Categories:\n  a: int", "line 1: Categories: ", "use category"),
    "an underscore last": ("post_:\n  a: int", "line 1: post_: ", "use post"),
    "a keyword": ("class:\n  a: int", "line 1: class: ", "keyword"),
    "a keyword as a class": ("none:\n  a: int", "line 1: none: ", "its class None"),
    "a keyword as a table": ("a:\n  b: int", "line 1: a: ", 'its table would be "as"'),
    "a class of the app": ("base:\n  a: int", "line 1: base: ", "its class Base"),
    "a module of the app": (
        "types:\n  a: int\n  _plural: types",
        "line 1: types: ",
        "a module of the app",
    ),
    "another module of the app": (
        "rows:\n  a: int\n  _plural: rows",
        "line 1: rows: ",
        "a module of the app",
    ),
    "the path of the documentation": ("doc:\n  a: int", "line 1: doc: ", "API documentation"),
    "one table twice": (
        "user: {a: int}\nposter: {a: int, _plural: users}",
        "line 2: poster._plural: ",
        "the table of user",
    ),
    "one class twice": ("line1: {a: int}\nline_1: {a: int}", "line 2: line_1: ", "its class Line1"),
    "one class from a page": (
        "post: {a: int}\npost_page: {a: int}",
        "line 2: post_page: ",
        "PostPage",
    ),
    "one class from two enums": (
        "order: {line_mode: enum(x y)}\norder_line: {mode: enum(x y)}",
        "line 2: order_line.mode: ",
        "OrderLineMode",
    ),
    "one index twice": (
        "orders_news: {flag: int index}\norder: {news_flag: int index}",
        "line 2: order.news_flag: ",
        "ix_orders_news_flag",
    ),
    "a long resource": (f"{'a' * 41}:\n  b: int", "line 1: aaa", "a resource has at most 40"),
    "a long table": (
        f"post: {{a: int, _plural: {'a' * 49}}}",
        "line 1: post: ",
        "has 68 characters; PostgreSQL allows 63",
    ),
    "a long index": (
        f"post: {{{'a' * 29}: int, {'b' * 29}: int, _index: [{'a' * 29}, {'b' * 29}]}}",
        "line 1: post._index: ",
        "PostgreSQL allows 63",
    ),
    "a unique group of few rows": (
        "post: {a: bool, b: enum(c d), _unique: [a, b]}",
        "line 1: post._unique: ",
        "bools and enums alone allow few rows; add a field, or leave it out",
    ),
    "too wide an index": (
        "post: {a: str(2000), b: str(2000), _index: [a, b]}",
        "line 1: post._index: ",
        "too long",
    ),
    # References.
    "two collections of one name": (
        "user: {n: int}\npost: {a: ref(user) as=posts, b: ref(user) as=posts}",
        "line 2: post.b: ",
        "user already has a collection posts",
    ),
    "a field called like a link": (
        "user: {posts_next: text}\npost: {a: ref(user) as=posts}",
        "line 2: post.a: ",
        "user already has a field posts_next",
    ),
    "a link called like a collection": (
        "user: {n: int}\npost: {a: ref(user) unique as=posts_next, b: ref(user) as=posts}",
        "line 2: post.b: ",
        "user already has a collection posts_next",
    ),
    "a collection called like a link": (
        "user: {n: int}\npost: {a: ref(user) as=posts, b: ref(user) unique as=posts_next}",
        "line 2: post.b: ",
        "user already has a collection posts_next",
    ),
    "a collection called like a field": (
        "post: {a: ref(user) as=name}\nuser: {name: text}",
        "line 1: post.a: ",
        "user already has a field name",
    ),
    "a column twice": (
        "user: {n: int}\npost: {a: ref(user), a_id: int}",
        "line 2: post.a_id: ",
        "the column of a: ref(user)",
    ),
    "a circle of two": (
        "a1: {b: ref(b1)}\nb1: {a: ref(a1)}",
        "line 1: a1.b: ",
        "a1, b1 require one another",
    ),
    "a circle that others wait for": (
        "note: {a: ref(a1)}\na1: {b: ref(b1)}\nb1: {a: ref(a1)}",
        "line 2: a1.b: ",
        "a1, b1 require one another",
    ),
    "a circle that an optional ref waits for": (
        "note: {a: ref(a1) optional}\na1: {b: ref(b1)}\nb1: {a: ref(a1)}",
        "line 2: a1.b: ",
        "a1, b1 require one another",
    ),
    # Access.
    "a public row of a private one": (
        "user: {n: int}\npost: {_access: public, by: ref(user)}",
        "line 2: post.by: ",
        "cannot refer to a private one, which not all of its readers see; use _access: public in",
    ),
    "a public row of a shared one": (
        "user: {n: int, _access: shared}\npost: {_access: public, by: ref(user) optional}",
        "line 2: post.by: ",
        "use _access: public in user",
    ),
    "a shared row of a private one": (
        "post: {_access: shared, by: ref(user)}\nuser: {n: int}",
        "line 1: post.by: ",
        "use _access: shared in user",
    ),
    "a private row that blocks a shared one": (
        "post: {by: ref(user)}\nuser: {n: int, _access: shared}",
        "line 1: post.by: ",
        "use optional, or on_delete=cascade",
    ),
    "a private row that blocks a public one": (
        "post: {by: ref(user) optional on_delete=restrict}\nuser: {n: int, _access: public}",
        "line 1: post.by: ",
        "use on_delete=set_null",
    ),
    "a private row that blocks a public one through another": (
        (
            "reply: {to: ref(note)}\nnote: {of: ref(folder) on_delete=cascade}\n"
            "folder: {of: ref(page) on_delete=cascade, up: ref(folder) optional}\n"
            "page: {n: int, _access: public}"
        ),
        "line 1: reply.to: ",
        "use optional, or on_delete=cascade",
    ),
    "an access to be put right": (
        "post:\n  by: ref(user)\n  _access: public\nuser:\n  n: int\n  _access: publik",
        "line 6: user._access: ",
        "use public",
    ),
    "an access of another to be put right": (
        "post: {by: ref(user)}\nuser: {n: int, _access: publik}",
        "line 2: user._access: ",
        "use public",
    ),
    # The first mistake is reported, and none that follows from another one.
    "the first of two": (
        "post:\n  a: ref(tga)\n  b: strr(2)\ntag: {a: int}",
        "line 2: post.a: ",
        "use ref(tag)",
    ),
    "a ref to a plural to be put right": (
        "post: {a: ref(user)}\nusers: {a: int}",
        "line 2: users: ",
        "`user`",
    ),
    "a ref to a name to be put right": (
        "post: {a: ref(user)}\nUser: {a: int}",
        "line 2: User: ",
        "use user",
    ),
    "a ref to a line that cannot be read": (
        "post: {a: ref(user)}\nuser {a: int}",
        "line 2: ",
        "not a name",
    ),
    "an index on a field to be put right": (
        "post:\n  _index: [a, b]\n  a: int\n  b: strr(2)",
        "line 4: post.b: ",
        "no type",
    ),
}


def refusal(text: str) -> str:
    """Check that the text is refused, in one short line and with an empty domain."""
    message = READER.check(text)
    assert re.fullmatch(r"line [1-9][0-9]*: [^\n]+[^\s;:,]", message)
    assert message.isprintable()
    assert len(message) <= LONGEST_MESSAGE
    assert read(text) == EMPTY
    return message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(text, words, id=f"{kind}-{text[:40]!r}")
        for kind, fields in BAD_FIELDS.items()
        for text, words in fields
    ],
)
def test_bad_field(text: str, words: str) -> None:
    message = refusal(f"post:\n  {text}\n")
    assert message.startswith("line 2: ")
    assert words in message


@pytest.mark.parametrize(("text", "words"), BAD_OPTIONS, ids=[text for text, _ in BAD_OPTIONS])
def test_bad_option(text: str, words: str) -> None:
    option, _, _ = text.partition(":")
    message = refusal(f"post:\n  a: int\n  b: ref(post) optional\n  t: text\n  {text}\n")
    assert message.startswith(f"line 5: post.{option}: ")
    assert words in message


@pytest.mark.parametrize(("text", "start", "words"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_bad_text(text: str, start: str, words: str) -> None:
    message = refusal(text)
    assert message.startswith(start)
    assert words in message


# --- With `auth` -----------------------------------------------------------------------------

WORDS_OF_ACCESS = ["", "_access: shared, ", "_access: public, "]
READABLE = [
    (here, there) for place, here in enumerate(WORDS_OF_ACCESS) for there in WORDS_OF_ACCESS[place:]
]

WITH_ACCOUNTS = {
    "account": ("account: {n: int}", "line 1: account: ", "taken by auth"),
    "a token": ("token: {n: int, _plural: keys}", "line 1: token: ", "taken by auth"),
    "a class": ("account_page: {n: int}", "line 1: account_page: ", "taken by auth"),
    "a mixin": ("private: {n: int, _plural: all}", "line 1: private: ", "taken by auth"),
    "a table": (
        "user: {n: int, _plural: accounts}",
        "line 1: user._plural: ",
        'its table would be "accounts", taken by auth',
    ),
    "an owner": ("post: {owner: str(9)}", "line 1: post.owner: ", "use another name"),
    "the column": ("post: {owner_id: int}", "line 1: post.owner_id: ", "use another name"),
    "a ref": ("post: {owner: ref(user)}\nuser: {n: int}", "line 1: post.owner: ", "use another"),
    "a collection": (
        "post: {by: ref(user) as=owner}\nuser: {n: int}",
        "line 1: post.by: ",
        'as: "owner" is the account that a row belongs to',
    ),
    "an index": (
        "x: {a: int, _plural: x}\nx_owner: {a: int, _plural: x_owner}",
        "line 2: x_owner: ",
        "ix_x_owner_id_live is already one of x",
    ),
}


@pytest.mark.parametrize(("here", "there"), READABLE)
def test_ref_target_is_readable_by_all_readers_of_the_row(here: str, there: str) -> None:
    for rule in ("", "optional", "on_delete=cascade"):
        restricts = not rule and here != there and not here
        text = f"post: {{{here}by: ref(user) {rule}}}\nuser: {{{there}n: int}}"
        assert (READER.check(text) == "") is not restricts
        assert restricts or READER.check(text, "tokens") == ""


def test_rows_are_private_unless_told_otherwise() -> None:
    text = "post: {a: int}\ntag: {a: int, _access: shared}\ntalk: {a: int, _access: 'public'}"
    domain = read(text)["resources"]
    assert [each["access"] for each in domain] == ["private", "shared", "public"]


def test_access_needs_accounts() -> None:
    message = READER.check("post:\n  a: int\n  _access: public", "none")
    assert message.startswith("line 3: post._access: needs accounts; use auth=tokens or auth=oidc")


@pytest.mark.parametrize(("text", "start", "words"), WITH_ACCOUNTS.values(), ids=WITH_ACCOUNTS)
def test_names_of_accounts_are_taken_where_there_are_any(text: str, start: str, words: str) -> None:
    assert READER.check(text) == ""
    assert READER.check(text, "none") == ""
    for auth in ("tokens", "oidc"):
        message = READER.check(text, auth)
        assert message.startswith(start)
        assert words in message
        assert len(message) <= LONGEST_MESSAGE


# --- The types -------------------------------------------------------------------------------


def test_adding_a_type_is_adding_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    entry = text.partition("```jinja\n")[2].partition("```")[0]
    types = (ROOT / "hooks/types.jinja").read_text(encoding="utf-8")
    changed = {"hooks/types.jinja": types.replace("set TYPES = {\n", f"set TYPES = {{\n{entry}")}
    renderer = Renderer()
    loaders = [DictLoader(changed), renderer.env.loader]
    monkeypatch.setattr(renderer.env, "loader", ChoiceLoader(loaders))
    answer = {"resources": "post: {price: cents default=5 index, tax: cents optional}"}
    files = dict(renderer.render(answer))
    model = files["app/db/models/post.py"]
    assert 'price: Mapped[int] = mapped_column(sa.BigInteger, server_default="5")' in model
    assert "tax: Mapped[int | None] = mapped_column(sa.BigInteger)" in model
    assert "price: StrictInt64 = 5\n" in files["app/schemas/post.py"]
    assert 'sa.Column("price", sa.BigInteger()' in files["migrations/versions/0001_initial.py"]


# --- The examples ----------------------------------------------------------------------------


def answer_in(path: Path) -> str:
    """Leave out the `#:` lines, which are about the file."""
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#:"))


def load_yaml(text: str) -> dict[str, dict[str, Any]]:
    """Read the text as YAML does, but leave every value the text it is."""
    return yaml.load(text, Loader=yaml.BaseLoader) or {}  # noqa: S506


def yaml_of(text: str) -> str:
    """Write the same answer in block form, as YAML understands it."""
    lines = []
    for name, fields in load_yaml(text).items():
        lines.append(f"{name}:")
        for key, value in fields.items():
            if isinstance(value, list):
                lines.append(f"  {key}: " + json.dumps(value).replace('"', ""))
            else:
                lines.append(f"  {key}: '" + value.replace("'", "''") + "'")
    return "\n".join(lines)


@pytest.mark.parametrize("path", sorted(DOMAINS.glob("*.yml")), ids=lambda path: path.stem)
def test_legal_example(path: Path) -> None:
    text = answer_in(path)
    assert READER.check(text) == ""
    assert [each["name"] for each in read(text)["resources"]] == list(yaml.safe_load(text))
    assert read(text) == read(yaml_of(text))


@pytest.mark.parametrize("path", sorted(DOMAINS.glob("invalid/*.yml")), ids=lambda path: path.stem)
def test_invalid_example(path: Path) -> None:
    lines = path.read_text().splitlines()
    about = yaml.safe_load("\n".join(line[3:] for line in lines if line.startswith("#: ")))
    message = refusal(answer_in(path)).lower()
    assert [words for words in about["must_say"] if words.lower() not in message] == []


def calls_to_read(tables: int) -> int:
    """Count the function calls made while reading: unlike seconds, they do not depend on load."""
    text = "".join(
        f"thing_{n}:\n"
        + "".join(f"  field_{k}: str(200) optional index\n" for k in range(8))
        + f"  other: ref(thing_{max(n - 1, 0)}) optional as=things_{n}\n"
        for n in range(tables)
    )
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event.endswith("call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        message = READER.check(text)
    finally:
        sys.setprofile(before)
    assert message == ""
    return calls


def test_tables_are_read_quickly() -> None:
    calls_to_read(1)  # compiles the templates
    calls = calls_to_read(10)
    assert calls < 900_000
    assert calls_to_read(20) < 2.2 * calls


# --- Random answers --------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(text=legal_texts())
def test_random_legal_text_is_accepted(text: str) -> None:
    assert READER.check(text, "none") == ""
    domain = read(text)
    assert domain == read(yaml_of(text))
    places = {name: place for place, name in enumerate(domain["tables"])}
    assert set(places) == set(load_yaml(text))
    for each in domain["resources"]:
        for ref in each["fields"]:
            if ref["type"] == "ref":
                later = places[ref["target"]["name"]] > places[each["name"]]
                assert ref["circular"] == later
                assert ref["optional"] or not later


@settings(max_examples=50, deadline=None)
@given(text=legal_texts(access=True))
def test_random_text_with_access_is_accepted(text: str) -> None:
    assert READER.check(text, "tokens") == ""
    for each in read(text)["resources"]:
        for ref in each["fields"]:
            if ref["type"] == "ref":
                levels = ["private", "shared", "public"]
                assert levels.index(each["access"]) <= levels.index(ref["target"]["access"])


LEGAL = [answer_in(path) for path in sorted(DOMAINS.glob("*.yml"))] + [
    text for text, _ in LEGAL_TEXTS.values()
]


def test_cascades_are_followed_once() -> None:
    # On all paths, these would take hours.
    names = [f"n{number}x" for number in range(40)]
    lines = [f"{names[0]}: {{n: int}}"]
    for place, name in enumerate(names[1:], 1):
        refs = [f"{to}_: ref({to}) on_delete=cascade" for to in names[:place]]
        lines.append(f"{name}: {{{', '.join(refs)}}}")
    text = "\n".join([*lines, f"last: {{to: ref({names[-1]})}}"])
    assert READER.check(text, "tokens") == ""
    exposed = text.replace("{n: int}", "{n: int, _access: public}", 1)
    assert "last.to: on_delete=restrict" in READER.check(exposed, "tokens")


@example(text=":post: {:\n  a: int, # one\n : b: int\n}\ntag: {a: int}", cuts=[])
@example(text="post: {one: int, b: int, _index: [[b, o\rne], [one, b]]}", cuts=[])
@settings(max_examples=150, deadline=None)
@given(text=st.sampled_from(LEGAL) | legal_texts(most=2), cuts=cuts())
def test_damaged_text_is_refused_or_legal(text: str, cuts: list[Cut]) -> None:
    """Accepted text means the same in YAML; any other text is refused in one line."""
    text = damage(text, cuts)
    if READER.check(text):
        refusal(text)
    else:
        domain = read(text)
        assert [each["name"] for each in domain["resources"]] == list(load_yaml(text))
        assert domain == read(yaml_of(text))
