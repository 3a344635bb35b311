import type { JSX } from "preact";
import type { Session } from "../state/session";
import { KEYMAP } from "../tools/keymap";
import { KeysDialog } from "./KeysDialog";
import { LeaveDialog } from "./LeaveDialog";
import { VersionsDialog } from "./VersionsDialog";

export function Dialogs({ session }: { session: Session }): JSX.Element | null {
  switch (session.dialog.value) {
    case "keys":
      return (
        <KeysDialog
          keymap={KEYMAP}
          user={session.data.user.id}
          close={() => {
            session.dialog.value = null;
          }}
        />
      );
    case "leave":
      return <LeaveDialog session={session} />;
    case "versions":
      return <VersionsDialog session={session} />;
    case null:
      return null;
  }
}
