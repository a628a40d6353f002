"""Models made for the purpose: the shapes that soft delete has to deal with."""

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from app.db.base import UTCDateTime
from app.db.soft_delete import DELETED, LIVE, SoftDeleteMixin
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar = {dt.datetime: UTCDateTime()}


def ref(column: str, ondelete: str | None = None, **options):
    return mapped_column(sa.ForeignKey(column, ondelete=ondelete), index=True, **options)


# --- What every table of the project has


class Item(SoftDeleteMixin, Base):
    __tablename__ = "items"
    __table_args__ = (
        sa.Index("ix_items_id_live", "id", postgresql_where=LIVE, sqlite_where=LIVE),
        sa.Index(
            "ix_items_deleted_at", "deleted_at", postgresql_where=DELETED, sqlite_where=DELETED
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(index=True)


# --- One-to-many over several levels, one-to-one, SET NULL, RESTRICT


class User(SoftDeleteMixin, Base):
    __tablename__ = "users"
    __table_args__ = (
        sa.Index(
            "uq_users_email_live", "email", unique=True, postgresql_where=LIVE, sqlite_where=LIVE
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    email: Mapped[str | None]
    posts: Mapped[list["Post"]] = relationship(
        foreign_keys="Post.author_id", back_populates="author", passive_deletes="all"
    )
    edited: Mapped[list["Post"]] = relationship(
        foreign_keys="Post.editor_id", back_populates="editor", passive_deletes="all"
    )
    profile: Mapped["Profile | None"] = relationship(back_populates="user", passive_deletes="all")


class Profile(SoftDeleteMixin, Base):
    __tablename__ = "profiles"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = ref("users.id", "CASCADE")
    pinned_id: Mapped[int | None] = ref("posts.id", "RESTRICT")
    user: Mapped[User] = relationship(back_populates="profile")


class Category(SoftDeleteMixin, Base):
    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    posts: Mapped[list["Post"]] = relationship(back_populates="category", passive_deletes="all")


post_tags = sa.Table(
    "post_tags",
    Base.metadata,
    sa.Column("post_id", sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
)


class Tag(SoftDeleteMixin, Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    posts: Mapped[list["Post"]] = relationship(secondary=post_tags, back_populates="tags")


class Post(SoftDeleteMixin, Base):
    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="", deferred=True)
    author_id: Mapped[int] = ref("users.id", "CASCADE")
    editor_id: Mapped[int | None] = ref("users.id", "SET NULL")
    category_id: Mapped[int | None] = ref("categories.id", "RESTRICT")
    updated_at: Mapped[dt.datetime] = mapped_column(
        default=lambda: dt.datetime.now(dt.UTC), onupdate=lambda: dt.datetime.now(dt.UTC)
    )
    author: Mapped[User] = relationship(foreign_keys=[author_id], back_populates="posts")
    editor: Mapped[User | None] = relationship(foreign_keys=[editor_id], back_populates="edited")
    category: Mapped[Category | None] = relationship(back_populates="posts")
    comments: Mapped[list["Comment"]] = relationship(back_populates="post", passive_deletes="all")
    tags: Mapped[list[Tag]] = relationship(secondary=post_tags, back_populates="posts")


class Comment(SoftDeleteMixin, Base):
    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(default="")
    post_id: Mapped[int] = ref("posts.id", "CASCADE")
    post: Mapped[Post] = relationship(back_populates="comments")


# --- A tree


class Node(SoftDeleteMixin, Base):
    __tablename__ = "nodes"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = ref("nodes.id", "CASCADE")
    parent: Mapped["Node | None"] = relationship(back_populates="children", remote_side="Node.id")
    children: Mapped[list["Node"]] = relationship(back_populates="parent", passive_deletes="all")


# --- Inheritance: joined and single-table


class Office(SoftDeleteMixin, Base):
    __tablename__ = "offices"

    id: Mapped[int] = mapped_column(primary_key=True)
    managers: Mapped[list["Manager"]] = relationship(back_populates="office", passive_deletes="all")


class Employee(SoftDeleteMixin, Base):
    __tablename__ = "employees"
    __mapper_args__: ClassVar = {"polymorphic_on": "kind", "polymorphic_identity": "employee"}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(default="")


class Manager(Employee):
    __tablename__ = "managers"
    __mapper_args__: ClassVar = {"polymorphic_identity": "manager"}

    id: Mapped[int] = mapped_column(sa.ForeignKey("employees.id"), primary_key=True)
    office_id: Mapped[int | None] = ref("offices.id", "CASCADE")
    office: Mapped[Office | None] = relationship(back_populates="managers")
    reports: Mapped[list["Report"]] = relationship(back_populates="manager", passive_deletes="all")


class Report(SoftDeleteMixin, Base):
    __tablename__ = "reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    manager_id: Mapped[int] = ref("managers.id", "CASCADE")
    manager: Mapped[Manager] = relationship(back_populates="reports")


class Animal(SoftDeleteMixin, Base):
    __tablename__ = "animals"
    __mapper_args__: ClassVar = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]


class Dog(Animal):
    __mapper_args__: ClassVar = {"polymorphic_identity": "dog"}


# --- Composite keys


class Account(SoftDeleteMixin, Base):
    __tablename__ = "accounts"

    region: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entries: Mapped[list["Entry"]] = relationship(back_populates="account", passive_deletes="all")


class Entry(SoftDeleteMixin, Base):
    __tablename__ = "entries"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["region", "number"], ["accounts.region", "accounts.number"], ondelete="CASCADE"
        ),
    )

    region: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account: Mapped[Account] = relationship(back_populates="entries")


# --- Beside classes without the mixin


class Team(Base):
    __tablename__ = "teams"

    id: Mapped[int] = mapped_column(primary_key=True)
    players: Mapped[list["Player"]] = relationship(
        back_populates="team", cascade="all, delete-orphan"
    )


class Player(SoftDeleteMixin, Base):
    __tablename__ = "players"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int | None] = ref("teams.id", "CASCADE")
    team: Mapped[Team | None] = relationship(back_populates="players")


class Hold(Base):
    """Keeps a user from being deleted."""

    __tablename__ = "holds"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = ref("users.id")


class Note(Base):
    """Goes when its user is removed for good."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = ref("users.id", "CASCADE")
    user: Mapped[User] = relationship()
