import type { JSX } from "preact";
import type { Session } from "../state/session";
import { Plain, ToolButtons, UndoButtons } from "./ToolButtons";

export function Tools({ session }: { session: Session }): JSX.Element {
  return (
    <aside class="ws-tools" aria-label="Drawing">
      <div class="ws-tools-in" role="toolbar" aria-label="Tools" aria-orientation="vertical">
        <ToolButtons board={session} only={session.tools} />
        <span class="grow" />
        {!session.isLocked && <UndoButtons board={session} />}
        <Plain label="All keys, key ?" icon="keys" letter="?" act={() => (session.dialog.value = "keys")} />
      </div>
    </aside>
  );
}
