import type { JSX } from "preact";
import type { ImageInfo } from "../api/types";
import type { Session } from "../state/session";

/** The rectangle that the question speaks of: part of the question, so it is neither a region nor hidden with them. */
export function QuestionBox({ session, image }: { session: Session; image: ImageInfo }): JSX.Element | null {
  const box = session.handed.value?.case.question_box;
  if (!box || image.number !== 1) return null;
  const [x0, y0, x1, y1] = box;
  const at = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
  return (
    <g class="asked" data-testid="question-box">
      <title>Rectangle that the question asks about</title>
      <rect class="asked-halo" {...at} />
      <rect class="asked-edge" {...at} />
    </g>
  );
}
