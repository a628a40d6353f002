"""Tables are written at the prompt: typed, refused, mended and taken."""

import sys
from pathlib import Path

import pexpect
import yaml

from terminal import QUESTIONS

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


def pasted(text: str) -> str:
    """Return what a terminal sends for a text that is pasted, so that no line is indented anew."""
    return f"\x1b[200~{text}\x1b[201~"


def test_a_shop_is_written_refused_and_mended(template: Path, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    arguments = ["-W", "ignore", "-m", "copier", "copy", str(template), str(project)]
    child = pexpect.spawn(sys.executable, arguments, dimensions=(60, 120), timeout=20)
    for text, keys in QUESTIONS:
        child.expect_exact(text)
        if text != "Finish with":
            child.send(keys)
            continue
        child.expect_exact("customer: ref(user)")
        child.send(BACKSPACE * 400)
        child.send(pasted(f"{SHOP}number"))
        child.send(DONE)
        number = SHOP.count("\n") + 1
        child.expect_exact(f'line {number}: review.stars: no type is called "number"; write int')
        # What was typed is still there.
        child.send(BACKSPACE * len("number"))
        child.send(f"int{DONE}")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["resources"].strip() == f"{SHOP}int"
    assert len(list((project / "app/db/models").glob("[a-z]*.py"))) == 10
