import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  title: string;
  wide?: boolean;
  close: () => void;
  children: ComponentChildren;
}

/** The browser keeps the focus inside, closes on Escape and gives the focus back. */
export function Dialog({ title, wide = false, close, children }: Props): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus();
    };
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
