// The images, as the reading page shows them: windows, zoom, frames, several side by side; the gold is drawn here.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { BrushSize } from "../panels/BrushSize";
import { Plain, ToolButtons, UndoButtons } from "../panels/ToolButtons";
import { ViewControls } from "../panels/ViewControls";
import { LayoutPicker, LinkToggle } from "../panels/ViewMenus";
import { setLabel } from "../state/act";
import { layoutOf } from "../viewer/layout";
import type { Under } from "../viewer/Overlay";
import { Viewport } from "../viewer/Viewport";
import { board } from "./board";
import { Frames } from "./Frames";
import { bindReviewKeys } from "./keys";
import { Layers } from "./Layers";
import { Thumbnails } from "./Thumbnails";
import { showsKeys } from "./view";

const under: Under = (at) => <Layers at={at} />;

/** The label of the region that is selected, else of the one that is drawn next. */
function LabelChoice(): JSX.Element | null {
  if (!board.canDraw || board.labels.length === 0) return null;
  const selected = board.rois.value.find((roi) => roi.id === board.selected.value);
  return (
    <label class="row sm t2 label-choice">
      {selected ? "Label" : "Next label"}
      <select
        class="select sm"
        value={(selected ? selected.label : board.label.value) ?? ""}
        onChange={(event) => {
          const label = event.currentTarget.value || null;
          if (selected) setLabel(board, selected.id, label);
          else board.label.value = label;
        }}
      >
        <option value="">no label</option>
        {board.labels.map((label) => (
          <option key={label.id} value={label.id}>
            {label.name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function ImageView(): JSX.Element {
  const surface = useRef<HTMLDivElement>(null);
  const layout = layoutOf(board.layout.value);
  useEffect(() => bindReviewKeys(board, surface.current as HTMLDivElement), []);
  return (
    <div ref={surface} class="review-viewer">
      <div class="ws-bar" role="toolbar" aria-label="View">
        {board.images.value.length > 1 && <LayoutPicker board={board} />}
        <LinkToggle board={board} />
        <ViewControls board={board} />
        <Frames />
        <BrushSize board={board} />
        <span class="end row">
          <LabelChoice />
        </span>
      </div>
      <div class="review-surface">
        <div class="review-hand" role="toolbar" aria-label="Tools" aria-orientation="vertical">
          <ToolButtons board={board} only={board.tools} />
          <span class="grow" />
          {board.canDraw && <UndoButtons board={board} />}
          <Plain label="All keys, key ?" icon="keys" letter="?" act={() => (showsKeys.value = true)} />
        </div>
        <div class={`vgrid v${layout.name}`}>
          {board.cells.value.map((cell, index) => (
            <Viewport key={index} board={board} cell={cell} index={index} under={under} />
          ))}
        </div>
      </div>
      <Thumbnails />
    </div>
  );
}
