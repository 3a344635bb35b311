import { beforeEach, describe, expect, it, vi } from "vitest";
import { Comments } from "./thread";

const said = { id: "k1", parent: null, anchor: "case", anchor_id: "", reading: null, text: "Why?", resolved_at: null };
let refused: object | null;
let offline: boolean;
const sent: [string, unknown][] = [];
let comments: Comments;

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

beforeEach(() => {
  refused = null;
  offline = false;
  sent.length = 0;
  comments = new Comments(() => "c1");
  vi.stubGlobal("document", { cookie: "csrftoken=t" });
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    if (offline) throw new TypeError("offline");
    if (init.method !== "POST") {
      const unseen = [said, { ...said, id: "k2" }].map(({ id }, at) => ({ comment: id, case: `c${at + 1}` }));
      return json({ results: url.includes("mentions") ? unseen : [said], next: null });
    }
    if (refused) return json(refused, 400);
    sent.push([url, init.body ? JSON.parse(`${init.body}`) : null]);
    return json(said, 201);
  });
});

describe("the comments of a case", () => {
  it("are fetched, and whoever they name has seen them: those of this case only", async () => {
    await comments.load();
    expect(comments.all.value.map(({ id }) => id)).toEqual(["k1"]);
    expect(sent.map(([url]) => url)).toEqual(["/api/v1/comments/k1/seen/"]);
  });

  it("are written, settled and taken up again", async () => {
    expect(await comments.write({ text: "Because.", parent: "k1" })).toBe(true);
    expect(sent[0]).toEqual(["/api/v1/cases/c1/comments/", { text: "Because.", parent: "k1" }]);
    sent.length = 0;
    await comments.settle(said as unknown as Parameters<Comments["settle"]>[0]);
    await comments.settle({ ...said, resolved_at: "now" } as unknown as Parameters<Comments["settle"]>[0]);
    const acts = sent.map(([url]) => url).filter((url) => !url.includes("seen"));
    expect(acts).toEqual(["/api/v1/comments/k1/resolve/", "/api/v1/comments/k1/reopen/"]);
  });

  it("say what the server says, and keep the words when it is away", async () => {
    refused = { type: "/problems/invalid", detail: "@nobody may not see this case" };
    expect(await comments.write({ text: "@nobody" })).toBe(false);
    expect(comments.trouble.value).toBe("@nobody may not see this case");
    offline = true;
    expect(await comments.write({ text: "again" })).toBe(false);
    expect(comments.trouble.value).not.toBe("");
  });
});
