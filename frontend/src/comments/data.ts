// What people say about a case, as /api/v1/cases/{id}/comments/ sends it, and whom it names.
import { call } from "../api/client";

export interface Person {
  /** Null for a reader who goes by another name here (R1, R2 …). */
  id: string | null;
  username: string;
  name: string;
}

export interface Comment {
  id: string;
  parent: string | null;
  anchor: "case" | "step" | "roi" | "field";
  anchor_id: string;
  reading: string | null;
  text: string;
  author: Person;
  resolved_by: Person | null;
  resolved_at: string | null;
  created_at: string;
}

export interface NewComment {
  text: string;
  anchor?: string;
  anchor_id?: string;
  reading?: string;
  parent?: string;
}

const of = (id: string): string => `/api/v1/cases/${id}/`;
const post = <T>(url: string, body: unknown): Promise<T> => call<T>(url, { method: "POST", body });

export const fetchComments = (id: string): Promise<{ results: Comment[]; next: string | null }> =>
  call(`${of(id)}comments/?limit=200`);
export const fetchUnseen = (): Promise<{ results: { comment: string; case: string }[] }> =>
  call("/api/v1/mentions/?unseen=true&limit=200");
export const markSeen = (comment: string): Promise<unknown> => post(`/api/v1/comments/${comment}/seen/`, {});
export const writeComment = (id: string, body: NewComment): Promise<Comment> => post(`${of(id)}comments/`, body);
export const settleComment = (comment: string, act: "resolve" | "reopen"): Promise<Comment> =>
  post(`/api/v1/comments/${comment}/${act}/`, {});
