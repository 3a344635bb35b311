import type { JSX } from "preact";
import type { Session } from "../state/session";
import { AidHeat } from "../viewer/AidHeat";
import { layoutOf } from "../viewer/layout";
import type { Under } from "../viewer/Overlay";
import { QuestionBox } from "../viewer/QuestionBox";
import { ToldLayer } from "../viewer/ToldLayer";
import { Viewport } from "../viewer/Viewport";
import { Dialogs } from "./Dialogs";
import { LeaseBar } from "./LeaseBar";
import { Nothing } from "./Nothing";
import { SidePanel } from "./SidePanel";
import { Thumbnails } from "./Thumbnails";
import { ToastBox } from "./ToastBox";
import { Tools } from "./Tools";
import { TopBar } from "./TopBar";
import { ViewBar } from "./ViewBar";

/** A width that the reader chose goes over the style sheet's own. */
function widthOf({ panel, panelWidth }: Session): JSX.CSSProperties {
  const width = panel.value ? panelWidth.value : null;
  return (width === null ? {} : { "--panel-width": `${width}px` }) as JSX.CSSProperties;
}

export function Workspace({ session }: { session: Session }): JSX.Element {
  const handed = session.handed.value;
  const layout = layoutOf(session.layout.value);
  const under: Under = (at) => (
    <>
      <g transform={at.matrix}>
        {session.aided && <AidHeat aid={session.aided} image={at.image.number} frame={at.frame} />}
        <QuestionBox session={session} image={at.image} />
      </g>
      <ToldLayer session={session} at={at} />
    </>
  );
  return (
    <div class={`ws${session.panel.value ? "" : " no-panel"}`} style={widthOf(session)}>
      <TopBar session={session} />
      {handed ? (
        <>
          <Thumbnails session={session} />
          <Tools session={session} />
          <main class="ws-main" aria-label="Images">
            <ViewBar session={session} />
            <LeaseBar session={session} />
            <div class={`vgrid v${layout.name}`} key={handed.reading.id}>
              {session.cells.value.map((cell, index) => (
                <Viewport key={index} board={session} cell={cell} index={index} under={under} />
              ))}
            </div>
          </main>
          {session.panel.value && <SidePanel session={session} />}
        </>
      ) : (
        <Nothing session={session} />
      )}
      <Dialogs session={session} />
      <ToastBox session={session} />
    </div>
  );
}
