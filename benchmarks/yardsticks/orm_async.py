"""The pattern of FastAPI's documentation, typed in by hand: SQLAlchemy ORM, async."""

import datetime as dt
import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import DateTime, ForeignKey, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)

# The same number of connections as on the other side.
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=10, max_overflow=0)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Base(DeclarativeBase):
    type_annotation_map = {dt.datetime: DateTime(timezone=True)}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)


class User(Base):
    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(320), unique=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    posts: Mapped[list["Post"]] = relationship(back_populates="author", order_by="Post.id")


class Post(Base):
    __tablename__ = "posts"

    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    author: Mapped[User] = relationship(back_populates="posts")


class UserRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str
    is_active: bool
    created_at: dt.datetime
    updated_at: dt.datetime


class PostCreate(BaseModel):
    title: str = Field(max_length=200)
    body: str
    author_id: int


class PostUpdate(BaseModel):
    title: str | None = Field(default=None, max_length=200)
    body: str | None = None
    author_id: int | None = None


class PostRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    body: str
    author_id: int
    created_at: dt.datetime
    updated_at: dt.datetime


class PostDetail(PostRead):
    author: UserRead


class UserDetail(UserRead):
    posts: list[PostRead]


class PostPage(BaseModel):
    items: list[PostRead]
    total: int | None = None


async def get_session() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]

app = FastAPI()


@app.post("/posts", response_model=PostRead, status_code=201)
async def create_post(data: PostCreate, session: SessionDep) -> Any:
    post = Post(**data.model_dump())
    session.add(post)
    await session.commit()
    await session.refresh(post)
    return post


@app.get("/posts", response_model=PostPage)
async def read_posts(
    session: SessionDep,
    offset: int = 0,
    limit: Annotated[int, Query(le=100)] = 20,
    total: bool = False,  # noqa: FBT001, FBT002
) -> Any:
    posts = await session.scalars(select(Post).order_by(Post.id).offset(offset).limit(limit))
    page = {"items": posts.all()}
    if total:
        page["total"] = await session.scalar(select(func.count()).select_from(Post))
    return page


@app.get("/posts/{post_id}", response_model=PostDetail)
async def read_post(post_id: int, session: SessionDep) -> Any:
    post = await session.get(Post, post_id, options=[joinedload(Post.author)])
    if not post:
        raise HTTPException(status_code=404, detail="Post not found")
    return post


@app.patch("/posts/{post_id}", response_model=PostRead)
async def update_post(post_id: int, data: PostUpdate, session: SessionDep) -> Any:
    post = await session.get(Post, post_id)
    if not post:
        raise HTTPException(status_code=404, detail="Post not found")
    for name, value in data.model_dump(exclude_unset=True).items():
        setattr(post, name, value)
    await session.commit()
    await session.refresh(post)
    return post


@app.get("/users/{user_id}", response_model=UserDetail)
async def read_user(user_id: int, session: SessionDep) -> Any:
    user = await session.get(User, user_id, options=[selectinload(User.posts)])
    if not user:
        raise HTTPException(status_code=404, detail="User not found")
    return user
