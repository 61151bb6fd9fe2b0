/** How large an element is on the screen, in device pixels: 0 x 0 while it cannot be seen. */

export interface ShownSize {
  width: number;
  height: number;
}

export type ElementWatch = (element: HTMLElement, onChange: (size: ShownSize) => void) => () => void;

/** By its size, whether it is scrolled out of view or has no box, and whether the page itself is in view. */
export function watchBrowserElement(element: HTMLElement, onChange: (size: ShownSize) => void): () => void {
  let width = 0;
  let height = 0;
  let inView = false;
  const tell = () => {
    const seen = inView && document.visibilityState !== "hidden";
    const ratio = globalThis.devicePixelRatio || 1;
    onChange(seen ? { width: Math.round(width * ratio), height: Math.round(height * ratio) } : { width: 0, height: 0 });
  };
  const sizes = new ResizeObserver(([entry]) => {
    if (entry === undefined) return;
    ({ width, height } = entry.contentRect);
    tell();
  });
  const sights = new IntersectionObserver(([entry]) => {
    if (entry === undefined) return;
    inView = entry.isIntersecting;
    tell();
  });
  sizes.observe(element);
  sights.observe(element);
  document.addEventListener("visibilitychange", tell);
  return () => {
    sizes.disconnect();
    sights.disconnect();
    document.removeEventListener("visibilitychange", tell);
  };
}
