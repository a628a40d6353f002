"""Classes that soft delete does not support are refused when they are mapped."""

import pytest
import sqlalchemy as sa
from app.db.soft_delete import SoftDeleteMixin, references
from sqlalchemy.orm import DeclarativeBase, Mapped, configure_mappers, mapped_column


@pytest.fixture
def base(monkeypatch):
    monkeypatch.setattr(references, "CLASSES", {})

    class Base(DeclarativeBase):
        pass

    yield Base
    Base.registry.dispose()


def test_joined_inheritance_is_refused(base):
    class Employee(SoftDeleteMixin, base):
        __tablename__ = "employees"

        id: Mapped[int] = mapped_column(primary_key=True)

    with pytest.raises(TypeError, match=r"Manager: .* joined inheritance"):

        class Manager(Employee):
            __tablename__ = "managers"

            id: Mapped[int] = mapped_column(sa.ForeignKey("employees.id"), primary_key=True)


def test_mixin_below_the_root_of_a_hierarchy_is_refused(base):
    class Root(base):
        __tablename__ = "roots"

        id: Mapped[int] = mapped_column(primary_key=True)

    with pytest.raises(TypeError, match=r"Leaf: .* Root"):

        class Leaf(SoftDeleteMixin, Root):
            pass


def test_composite_primary_key_is_refused(base):
    with pytest.raises(TypeError, match=r"Account: .* composite primary key"):

        class Account(SoftDeleteMixin, base):
            __tablename__ = "accounts"

            region: Mapped[str] = mapped_column(primary_key=True)
            number: Mapped[int] = mapped_column(primary_key=True)


@pytest.mark.parametrize("columns", [["email"], ["id", "email"]])
def test_foreign_key_to_other_columns_than_the_primary_key_is_refused(base, columns):
    class User(SoftDeleteMixin, base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(unique=True)

    class Login(base):
        __tablename__ = "logins"
        __table_args__ = (sa.ForeignKeyConstraint(columns, [f"users.{name}" for name in columns]),)

        number: Mapped[int] = mapped_column(primary_key=True)
        id: Mapped[int]
        email: Mapped[str]

    assert User
    assert Login
    with pytest.raises(TypeError, match=r"logins: .* to users, .* primary key"):
        configure_mappers()
