import { isLayoutName, type LayoutName } from "../viewer/layout";

// Which layout a reader chose, by how many images the case had. Kept in this browser: it says nothing of a case.

const keyOf = (user: string, images: number): string => `sightline:layout:${user}:${Math.min(images, 9)}`;

export function rememberLayout(user: string, images: number, name: LayoutName): void {
  try {
    localStorage.setItem(keyOf(user, images), name);
  } catch {
    // A browser that keeps nothing: the layout is chosen again next time.
  }
}

export function rememberedLayout(user: string, images: number): LayoutName | null {
  try {
    const name = localStorage.getItem(keyOf(user, images));
    return name !== null && isLayoutName(name) ? name : null;
  } catch {
    return null;
  }
}
