// Create, list all pages, update with If-Match and delete, with the types of openapi-typescript.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type EntryRead = components["schemas"]["EntryRead"];

const ROWS = 25;
const [, , baseUrl = "", token = ""] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

function some<T>(value: T | undefined, error: unknown): T {
  if (value === undefined) {
    throw new Error(JSON.stringify(error));
  }
  return value;
}

function equal(found: unknown, expected: unknown): void {
  if (found !== expected) {
    throw new Error(`expected ${String(expected)}, found ${String(found)}`);
  }
}

const created = await client.POST("/authors", { body: { name: "TypeScript" } });
const author = some(created.data, created.error);

for (let rank = 1; rank <= ROWS; rank++) {
  const { data, error, response } = await client.POST("/entries", {
    body: {
      title: `Entry ${rank}`,
      rank,
      points: rank,
      weight: rank / 2,
      price: "9.50",
      day: "2026-01-31",
      at: "2026-01-31T12:00:00Z",
      code: crypto.randomUUID(),
      author_id: author.id,
      status: "published",
      path: "/",
    },
  });
  equal(response.headers.get("location"), `/entries/${some(data, error).id}`);
}

const entries: EntryRead[] = [];
let cursor: string | undefined;
do {
  const { data, error } = await client.GET("/entries", {
    params: { query: { author_id: [author.id], sort: "-rank", limit: 10, cursor } },
  });
  const page = some(data, error);
  entries.push(...page.items);
  cursor = page.next_cursor ?? undefined;
} while (cursor !== undefined);
equal(entries.map((entry) => entry.rank).join(), [...Array(ROWS).keys()].map((i) => ROWS - i).join());

const key = some(entries[0], "no entries").id;
const read = await client.GET("/entries/{key}", { params: { path: { key } } });
equal(some(read.data, read.error).price, "9.50");
const version = read.response.headers.get("etag") ?? "";

async function rename(title: string, if_match: string): Promise<number> {
  const { response } = await client.PATCH("/entries/{key}", {
    params: { path: { key }, header: { "if-match": if_match } },
    body: { title },
  });
  return response.status;
}

equal(await rename("Changed", version), 200);
equal(await rename("Too late", version), 412);

const deleted = await client.DELETE("/entries/{key}", { params: { path: { key } } });
equal(deleted.response.status, 204);
const missing = await client.GET("/entries/{key}", { params: { path: { key } } });
equal(missing.error?.status, 404);
