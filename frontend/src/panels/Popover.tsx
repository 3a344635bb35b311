import type { ComponentChildren, JSX } from "preact";
import { useId, useRef } from "preact/hooks";

interface Props {
  /** What the button says to a screen reader and on hover. */
  label: string;
  name: string;
  face: ComponentChildren;
  children: ComponentChildren;
}

/** A button with a small sheet of further buttons below it; the browser closes it on Escape and on a press elsewhere. */
export function Popover({ label, name, face, children }: Props): JSX.Element {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const place = (): void => {
    const box = button.current?.getBoundingClientRect();
    if (!box || !sheet.current) return;
    sheet.current.style.left = `${box.left}px`;
    sheet.current.style.top = `${box.bottom + 4}px`;
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class="btn ghost sm"
        aria-label={label}
        title={label}
        aria-haspopup="true"
        data-opens={name}
        popovertarget={id}
      >
        {face}
      </button>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the buttons inside act; the sheet only closes behind them */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: keys on the buttons inside arrive as clicks too */}
      <div
        ref={sheet}
        id={id}
        popover="auto"
        class="sheet"
        onBeforeToggle={place}
        onClick={() => sheet.current?.hidePopover()}
      >
        {children}
      </div>
    </>
  );
}
