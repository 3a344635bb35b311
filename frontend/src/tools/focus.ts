/** Gives a region the focus: arrows move what has it and Delete takes what is selected, so the two are to be one. */
export function focusRoi(id: string): boolean {
  const element = document.querySelector<SVGElement>(`[data-roi="${CSS.escape(id)}"]`);
  element?.focus({ preventScroll: true });
  return element !== null;
}
