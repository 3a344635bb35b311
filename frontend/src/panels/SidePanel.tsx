import type { JSX } from "preact";
import type { Session } from "../state/session";
import { AidPanel } from "./AidPanel";
import { AnswerBox } from "./AnswerBox";
import { Checklist } from "./Checklist";
import { FeedbackPanel } from "./FeedbackPanel";
import { Form } from "./Form";
import { Icon } from "./icons";
import { Notice } from "./Notice";
import { Question } from "./Question";
import { RoiList } from "./RoiList";
import { Splitter } from "./Splitter";
import { Steps } from "./Steps";

/** The reading, as the benchmark's protocol wants it: what is asked, what is seen, the answer, the regions. */
export function SidePanel({ session }: { session: Session }): JSX.Element | null {
  const handed = session.handed.value;
  if (!handed) return null;
  const told = session.feedback.value;
  if (told)
    return (
      <aside class="ws-panel" aria-label="Feedback" data-protocol={session.data.protocol.kind}>
        <Splitter session={session} />
        <Question session={session} />
        <FeedbackPanel session={session} told={told} />
      </aside>
    );
  const rows = session.form.rows.value;
  // Where the region is the answer, it comes before what is said of it.
  const isRegionFirst = session.data.protocol.kind === "vgmed";
  return (
    <aside class="ws-panel" aria-label="Reading" data-protocol={session.data.protocol.kind}>
      <Splitter session={session} />
      <Question session={session} />
      <Notice session={session} />
      {session.aided && <AidPanel session={session} aid={session.aided} />}
      {isRegionFirst && <RoiList session={session} />}
      {rows ? <Form session={session} rows={rows} /> : <Steps session={session} />}
      <AnswerBox session={session} />
      {!isRegionFirst && <RoiList session={session} />}
      <Checklist session={session} />
      {!session.aided && (
        <div class="locked">
          <Icon name="lock" size="sm" />
          <span>Model and other readings</span>
          <span class="end">open after you submit</span>
        </div>
      )}
    </aside>
  );
}
