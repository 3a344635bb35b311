import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Standing } from "../state/lease";
import { goOn } from "../state/leave";
import type { Session } from "../state/session";
import { Icon } from "./icons";
import { clock } from "./words";

const AGAIN = "Your draft is kept. With your next change the case is yours again, if a place is free.";

function wordsOf(standing: Standing, until: string | null): [string, string] | null {
  switch (standing) {
    case "held":
      return null;
    case "out":
      return [`Your lease ran out${until ? ` at ${clock(until)}` : ""}.`, AGAIN];
    case "taken":
      return ["A curator took this case back.", AGAIN];
    case "ended":
      return ["This case was given back in another tab, or a curator took it back.", AGAIN];
    case "surplus":
      return [
        "Other readers have every place of this case.",
        "Your reading is kept as surplus: it is not submitted; a curator accepts or closes it.",
      ];
  }
}

/** Over the images, where it is seen with the panel folded too: that the case is not the reader's now, and what then. */
export function LeaseBar({ session }: { session: Session }): JSX.Element | null {
  const problem = useSignal<string | null>(null);
  const standing = session.standing.value;
  const words = wordsOf(standing, session.leaseUntil.value);
  if (!words) return null;
  const next = async (): Promise<void> => {
    problem.value = await goOn(session);
  };
  return (
    <div class="notice warn lease-bar" role="alert" data-standing={standing}>
      <Icon name="clock" />
      <div>
        <strong>{words[0]}</strong> {words[1]}
        {problem.value && <p>{problem.value}</p>}
      </div>
      {standing !== "out" && (
        <button type="button" class="btn sm" onClick={() => void next()}>
          Next case
        </button>
      )}
    </div>
  );
}
