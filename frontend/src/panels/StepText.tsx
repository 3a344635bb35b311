import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Roi } from "../api/types";
import { citing, matches } from "../state/citing";
import { labelName, roiNumber } from "../state/labels";
import type { Session } from "../state/session";
import { Swatch } from "./Cite";

/** The server takes no more in a step. */
const MOST_CHARACTERS = 10_000;

interface Props {
  session: Session;
  id: string;
  text: string;
  label: string;
  isWrong: boolean;
  /** Takes the focus when it becomes true and the text is empty. */
  isFresh?: boolean;
  write: (text: string) => void;
}

/** A step's text. `[[` in it offers the regions to cite; what is chosen is cited and leaves no mark in the text. */
export function StepText({ session, id, text, label, isWrong, isFresh = false, write }: Props): JSX.Element {
  const field = useRef<HTMLTextAreaElement>(null);
  const [caret, setCaret] = useState<number | null>(null);
  const [at, setAt] = useState(0);
  useLayoutEffect(() => {
    const element = field.current;
    // A browser that sizes the field by its text needs no help.
    if (!element || CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  useLayoutEffect(() => {
    if (isFresh && text === "") field.current?.focus({ preventScroll: false });
  }, [isFresh]);
  const open = caret === null ? null : citing(text, caret);
  const offered = open ? matches(session.rois.value, session.data.protocol.labels, open.query) : [];
  const chosen = Math.min(at, offered.length - 1);
  const list = `offers-${id}`;
  const look = (): void => {
    setCaret(field.current?.selectionEnd ?? null);
    setAt(0);
  };
  const take = (roi: Roi | undefined): void => {
    if (!open || !roi) return;
    write(text.slice(0, open.from) + text.slice(open.to));
    session.store.seal();
    session.form.cite(id, roi.id);
    setCaret(null);
    requestAnimationFrame(() => field.current?.setSelectionRange(open.from, open.from));
  };
  const keys = (event: KeyboardEvent): void => {
    // Enter that ends a word of an input method chooses nothing.
    if (!open || event.isComposing) return;
    if (event.key === "ArrowDown") setAt((chosen + 1) % Math.max(1, offered.length));
    else if (event.key === "ArrowUp") setAt((chosen - 1 + offered.length) % Math.max(1, offered.length));
    else if (event.key === "Escape") setCaret(null);
    else if (["Enter", "Tab"].includes(event.key) && offered.length > 0) take(offered[chosen]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      <textarea
        ref={field}
        class="txt"
        rows={1}
        value={text}
        maxLength={MOST_CHARACTERS}
        data-text={id}
        aria-label={label}
        aria-invalid={isWrong}
        aria-autocomplete="list"
        aria-controls={open ? list : undefined}
        aria-activedescendant={open && offered[chosen] ? `${list}-${chosen}` : undefined}
        onInput={(event) => {
          write(event.currentTarget.value);
          look();
        }}
        onKeyDown={keys}
        onKeyUp={(event) => {
          if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) look();
        }}
        onBlur={() => {
          session.store.seal();
          setCaret(null);
        }}
      />
      {open && (
        <div class="offers" id={list} role="listbox" aria-label="ROIs to cite">
          {offered.length === 0 && (
            <p class="t3">{session.rois.value.length ? "No such ROI" : "No ROI is drawn yet"}</p>
          )}
          {offered.map((roi, index) => (
            <Offer
              key={roi.id}
              session={session}
              roi={roi}
              id={`${list}-${index}`}
              isOn={index === chosen}
              take={take}
            />
          ))}
        </div>
      )}
    </>
  );
}

interface OfferProps {
  session: Session;
  roi: Roi;
  id: string;
  isOn: boolean;
  take: (roi: Roi) => void;
}

function Offer({ session, roi, id, isOn, take }: OfferProps): JSX.Element {
  const name = labelName(roi.label, session.data.protocol.labels) || roi.shape;
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the text keeps the focus and names the option as its active one
    // biome-ignore lint/a11y/useKeyWithClickEvents: the text's own keys choose it
    <div
      id={id}
      role="option"
      aria-selected={isOn}
      class={`offer${isOn ? " on" : ""}`}
      onPointerDown={(event) => event.preventDefault()}
      onPointerEnter={() => (session.hovered.value = new Set([roi.id]))}
      onPointerLeave={() => (session.hovered.value = new Set())}
      onClick={() => take(roi)}
    >
      <Swatch session={session} label={roi.label} />
      <span class="num">{roiNumber(session.rois.value, roi.id)}</span>
      <span class="trunc">{name}</span>
      <span class="end num t3">image {roi.image}</span>
    </div>
  );
}
