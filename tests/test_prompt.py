"""The questionnaire at a real terminal."""

import sys
from pathlib import Path

import pexpect
import yaml

from conftest import Render
from projects import ROOT, git, run
from terminal import QUESTIONS
from updating import RESOURCES, commit, files

SHOP = """\
category: {name: str(80) unique, parent: ref(category) optional as=children}
brand: {name: str(80) unique, website: str(200) optional}
product:
  name: str(200)
  description: text optional
  price: decimal(10, 2)
  stock: int default=0
  category: ref(category) as=products
  brand: ref(brand) optional
  tags: json optional
customer:
  name: str(100)
  email: email unique
  born: date optional
  newsletter: bool default=false
address: {customer: ref(customer) on_delete=cascade as=addresses, street: str(200), city: str(100)}
basket: {customer: ref(customer) unique as=basket, token: uuid unique}
order:
  customer: ref(customer) as=orders
  address: ref(address)
  status: enum(new, paid, sent) default=new index
  ordered_at: datetime default=now
order_line:
  order: ref(order) on_delete=cascade as=lines
  product: ref(product)
  amount: int default=1
  _unique: [order, product]
payment: {order: ref(order), amount: decimal(10 2), paid_at: datetime optional}
review:
  product: ref(product) on_delete=cascade as=reviews
  customer: ref(customer)
  _unique: [product, customer]
  stars: """

BACKSPACE = "\x7f"
DONE = "\x1b\r"
DOWN = "\x1b[B"


def pasted(text: str) -> str:
    """Return what a terminal sends for a text that is pasted, so that no line is indented anew."""
    return f"\x1b[200~{text}\x1b[201~"


def spawn(*args: str | Path, columns: int = 80) -> pexpect.spawn:
    """Run Copier at a terminal."""
    arguments = ["-W", "ignore", "-m", "copier", *map(str, args)]
    return pexpect.spawn(sys.executable, arguments, dimensions=(60, columns), timeout=30)


def finish(child: pexpect.spawn) -> None:
    """Wait for the end of a successful run."""
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def retype(child: pexpect.spawn, text: str) -> None:
    """Replace the tables at the prompt."""
    child.expect_exact("Finish with")
    child.send(BACKSPACE * 800)
    child.send(pasted(text))
    child.send(DONE)


def test_a_mistake_is_refused_and_corrected(template: Path, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    child = spawn("copy", template, project, columns=120)
    for text, keys in QUESTIONS:
        if text == "Finish with":
            retype(child, f"{SHOP}number")
            number = SHOP.count("\n") + 1
            child.expect_exact(f'line {number}: review.stars: no type is called "number"; use int')
            # What was typed is still there.
            child.send(BACKSPACE * len("number"))
            child.send(f"int{DONE}")
        else:
            child.expect_exact(text)
            child.send(keys)
    finish(child)
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["resources"].strip() == f"{SHOP}int"
    assert len(list((project / "app/db/models").glob("[a-z]*.py"))) == 10


def test_a_name_that_auth_takes_is_refused_and_corrected(template: Path, tmp_path: Path) -> None:
    child = spawn("copy", template, tmp_path / "shop", columns=120)
    for text, keys in QUESTIONS:
        if text == "Accounts, and":
            child.expect_exact(text)
            child.send(f"{DOWN}\r")
        elif text == "Finish with":
            retype(child, "account: {name: text}")
            child.expect_exact('line 1: account: "account" is taken by auth; use another name')
            child.send(BACKSPACE * len("account: {name: text}") + "member: {name: text}" + DONE)
        else:
            child.expect_exact(text)
            child.send(keys)
    finish(child)
    assert (tmp_path / "shop" / "app/crud/member.py").exists()


def test_auth_that_does_not_go_with_the_tables_ends_the_run(render: Render) -> None:
    project = commit(render(resources="account: {name: text}"))
    before = files(project)
    child = spawn("update", "--skip-answered", "--ask=auth", "--vcs-ref=:current:", project)
    child.expect_exact("Accounts, and")
    child.send(f"{DOWN}\r")
    child.expect_exact("auth and resources do not go together:")
    child.expect_exact('line 1: account: "account" is taken by auth')
    child.expect_exact("Press Ctrl-C")
    child.send("\r")
    # What is typed changes nothing.
    child.send("go on\r")
    child.expect_exact("use another name")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus != 0
    assert files(project) == before
    assert git(project, "status", "--porcelain") == ""


def test_a_removed_resource_is_asked_about(render: Render) -> None:
    project = commit(render(resources=RESOURCES))
    child = spawn("update", "--skip-answered", "--ask=resources", "--vcs-ref=:current:", project)
    retype(child, "author: {name: strr}")
    child.expect_exact("line 1: author.name: no type")
    child.send(BACKSPACE * len("strr}") + "text}" + DONE)
    child.expect_exact("No longer needed: files of author, note.")
    child.expect_exact("app/crud/note.py")
    child.send("\r")
    child.expect_exact("type author, note to delete these")
    child.send("author note\r")
    finish(child)
    assert not (project / "app/crud/note.py").exists()
    assert "text" in (project / ".copier-answers.yml").read_text(encoding="utf-8")


def test_the_questions_can_be_answered_on_any_system(template: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("prompt.py")
    run([sys.executable, str(script), str(template), "project"], tmp_path)
    assert (tmp_path / "project" / "app" / "main.py").exists()


def test_our_workflow_answers_them_and_updates_on_macos_and_windows() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    platforms = workflow["jobs"]["platforms"]
    assert platforms["strategy"]["matrix"]["os"] == ["macos-latest", "windows-latest"]
    everywhere = [step.get("run", "") for step in platforms["steps"] if "if" not in step]
    for command in ("tests/prompt.py . ../project", "copier update", "dev.py check"):
        assert any(command in step for step in everywhere), command
