"""Test models with the kinds of references that soft delete supports."""

import datetime as dt
import enum
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from app.db.base import UTCDateTime
from app.db.soft_delete import DELETED, LIVE, SoftDeleteMixin
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar = {dt.datetime: UTCDateTime()}


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


def ref(column: str, ondelete: str | None = None, **options):
    return mapped_column(sa.ForeignKey(column, ondelete=ondelete), index=True, **options)


# --- The indexes of every table of a project


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


class Review(SoftDeleteMixin, Base):
    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = ref("posts.id", "CASCADE")
    author_id: Mapped[int] = ref("users.id", "CASCADE")


# A column of a class that is none of its table.
Post.comment_count = column_property(
    sa.select(sa.func.count(Comment.id)).where(Comment.post_id == Post.id).scalar_subquery(),
    deferred=True,
)


# --- A tree


class Node(SoftDeleteMixin, Base):
    __tablename__ = "nodes"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = ref("nodes.id", "CASCADE")
    parent: Mapped["Node | None"] = relationship(back_populates="children", remote_side="Node.id")
    children: Mapped[list["Node"]] = relationship(back_populates="parent", passive_deletes="all")


# --- Single-table inheritance


class Animal(SoftDeleteMixin, Base):
    __tablename__ = "animals"
    __mapper_args__: ClassVar = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]


class Dog(Animal):
    __mapper_args__: ClassVar = {"polymorphic_identity": "dog"}


# --- Many-to-many through an association class


class Course(SoftDeleteMixin, Base):
    __tablename__ = "courses"

    id: Mapped[int] = mapped_column(primary_key=True)
    enrolments: Mapped[list["Enrolment"]] = relationship(
        back_populates="course", passive_deletes="all"
    )


class Student(SoftDeleteMixin, Base):
    __tablename__ = "students"

    id: Mapped[int] = mapped_column(primary_key=True)
    enrolments: Mapped[list["Enrolment"]] = relationship(
        back_populates="student", passive_deletes="all"
    )


class Enrolment(SoftDeleteMixin, Base):
    __tablename__ = "enrolments"

    id: Mapped[int] = mapped_column(primary_key=True)
    grade: Mapped[int | None]
    course_id: Mapped[int] = ref("courses.id", "CASCADE")
    student_id: Mapped[int] = ref("students.id", "CASCADE")
    course: Mapped[Course] = relationship(back_populates="enrolments")
    student: Mapped[Student] = relationship(back_populates="enrolments")


# --- Every type of column


class Sample(SoftDeleteMixin, Base):
    __tablename__ = "samples"

    id: Mapped[int] = mapped_column(primary_key=True)
    node_id: Mapped[int] = ref("nodes.id")
    string: Mapped[str | None] = mapped_column(sa.String(20))
    text: Mapped[str | None] = mapped_column(sa.Text)
    integer: Mapped[int | None]
    bigint: Mapped[int | None] = mapped_column(sa.BigInteger)
    double: Mapped[float | None] = mapped_column(sa.Double)
    decimal: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 2))
    boolean: Mapped[bool | None]
    date: Mapped[dt.date | None]
    datetime: Mapped[dt.datetime | None]
    uuid: Mapped[UUID | None]
    json: Mapped[dict[str, Any] | None] = mapped_column(
        sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    )
    color: Mapped[Color | None] = mapped_column(
        sa.Enum(
            Color,
            native_enum=False,
            length=50,
            values_callable=lambda members: [member.value for member in members],
        )
    )


# --- Next to classes without the mixin


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
    """Prevents its user from being deleted."""

    __tablename__ = "holds"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = ref("users.id")


class Note(Base):
    """Is deleted when its user is permanently deleted."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = ref("users.id", "CASCADE")
    user: Mapped[User] = relationship()
