import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Content } from "../api/types";
import type { Session } from "../state/session";
import { KEYMAP } from "../tools/keymap";
import { count, kindName } from "./words";

export function Dialogs({ session }: { session: Session }): JSX.Element | null {
  switch (session.dialog.value) {
    case "keys":
      return <KeysDialog session={session} />;
    case "versions":
      return <VersionsDialog session={session} />;
    case null:
      return null;
  }
}

function Dialog({
  title,
  wide,
  close,
  children,
}: {
  title: string;
  wide?: boolean;
  close: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} class={`dialog${wide ? " wide" : ""}`} aria-labelledby="dialog-title" onClose={close}>
      <header>
        <h2 id="dialog-title">{title}</h2>
      </header>
      {children}
    </dialog>
  );
}

function KeysDialog({ session }: { session: Session }): JSX.Element {
  const close = (): void => {
    session.dialog.value = null;
  };
  const groups = [...new Set(KEYMAP.map((hint) => hint.group))];
  return (
    <Dialog title="Keys" wide close={close}>
      <div class="body keys">
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {KEYMAP.filter((hint) => hint.group === group).map((hint) => (
                <div key={hint.id}>
                  <dt>
                    <kbd class="kbd">{hint.keys}</kbd>
                  </dt>
                  <dd>{hint.words}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <footer>
        <button type="button" class="btn" onClick={close}>
          Close
        </button>
      </footer>
    </Dialog>
  );
}

function VersionsDialog({ session }: { session: Session }): JSX.Element | null {
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
