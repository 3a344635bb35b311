import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { Session } from "../state/session";
import { Icon } from "./icons";

const SHOWN_MS = 8000;

/** One message about what finished elsewhere; it stays while hovered or focused. */
export function ToastBox({ session }: { session: Session }): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const hold = (): void => clearTimeout(timer.current);
  const letGo = (): void => {
    hold();
    timer.current = setTimeout(() => {
      session.toast.value = null;
    }, SHOWN_MS);
  };
  useSignalEffect(() => {
    if (session.toast.value) letGo();
  });
  const toast = session.toast.value;
  return (
    <div class="toasts" role="status">
      {toast && (
        <div class="toast" onPointerEnter={hold} onPointerLeave={letGo} onFocusCapture={hold} onBlurCapture={letGo}>
          <span class="ok">
            <Icon name="check" />
          </span>
          <span>{toast.text}</span>
          {toast.also && (
            <a class="btn ghost sm end" href={toast.also.href}>
              {toast.also.text}
            </a>
          )}
          {toast.link && (
            <a class="btn ghost sm end" href={toast.link.href}>
              {toast.link.text}
            </a>
          )}
        </div>
      )}
    </div>
  );
}
