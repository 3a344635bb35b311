import { ApiError, call } from "../api/client";
import type { Session } from "./session";

/** Gives the case back; the draft stays on the server. Null, or why it did not work. */
export async function giveBack(session: Session): Promise<string | null> {
  return leave(session, "release", undefined, "given back; your draft stays");
}

/** Passes the case by for good, with a reason. Null, or why it did not work. */
export async function skipCase(session: Session, reason: string): Promise<string | null> {
  return leave(session, "skip", { reason }, "skipped");
}

async function leave(session: Session, how: string, body: unknown, done: string): Promise<string | null> {
  const handed = session.handed.peek();
  if (!handed) return null;
  const autosave = session.autosave.peek();
  // What is unsaved goes first: after this the page shows another case.
  if (autosave && !(await autosave.flush()))
    return "The draft is not on the server yet; it is kept on this computer. Try again when it is saved";
  try {
    await call(`${session.api}assignments/${handed.assignment}/${how}/`, { method: "POST", body });
  } catch (error) {
    return error instanceof ApiError ? error.message : String(error);
  }
  session.toast.value = { text: `Case ${handed.case.key} ${done}`, link: null };
  await session.askNext();
  return null;
}

/** From a case that is the reader's no more to the next one. Null, or why the page stays. */
export async function goOn(session: Session): Promise<string | null> {
  const autosave = session.autosave.peek();
  if (autosave && !(await autosave.flush()) && autosave.state.peek().kind !== "locked")
    return "The draft is not on the server yet; it is kept on this computer. Try again when it is saved.";
  await session.askNext();
  return null;
}
