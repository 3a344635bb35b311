import type { JSX } from "preact";
import type { Content } from "../api/types";
import type { Session } from "../state/session";
import { Dialog } from "./Dialog";
import { count, kindName } from "./words";

export function VersionsDialog({ session }: { session: Session }): JSX.Element | null {
  const autosave = session.autosave.value;
  const state = autosave?.state.value;
  const close = (): void => {
    session.dialog.value = null;
  };
  if (!autosave || state?.kind !== "conflict") return null;
  const choose = async (choice: "mine" | "theirs"): Promise<void> => {
    close();
    const taken = await autosave.resolve(choice);
    if (taken) session.store.load(taken, "REMOTE");
  };
  return (
    <Dialog title="Two versions of this draft" wide close={close}>
      <div class="body">
        <p>
          It was also changed in another tab or on another computer. Choose which one goes on; the other one is kept on
          this computer.
        </p>
        <div class="versions">
          <Version name="This page" content={session.store.content.value} file="this-page" />
          <Version name="On the server" content={state.theirs} file="server" />
        </div>
      </div>
      <footer>
        <button type="button" class="btn" onClick={() => void choose("theirs")}>
          Take the server's
        </button>
        <button type="button" class="btn primary" onClick={() => void choose("mine")}>
          Keep this page's
        </button>
      </footer>
    </Dialog>
  );
}

function Version({ name, content, file }: { name: string; content: Content; file: string }): JSX.Element {
  const { answer, steps, rois } = content;
  const download = (): void => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `draft-${file}.json`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <section class="version" aria-label={name}>
      <div class="row between">
        <h3>{name}</h3>
        <button type="button" class="btn ghost sm" onClick={download}>
          Download
        </button>
      </div>
      <p class="strong">
        {count(rois.length, "ROI")}, {count(steps.length, "step")}
      </p>
      <p class="sm">Answer: {answer?.choice ?? answer?.text ?? "none"}</p>
      <ol>
        {steps.map((step, index) => (
          <li key={step.id}>
            <span class="t3">
              {index + 1} {kindName(step.kind)}
            </span>{" "}
            {step.text || "no text"}
          </li>
        ))}
      </ol>
    </section>
  );
}
