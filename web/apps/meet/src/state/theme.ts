/** A preset's design tokens as CSS variables; what is not a plain colour or size is left alone. */

type Tree = Record<string, unknown>;

const COLOUR = /^(#[0-9a-f]{3,8}|(rgb|hsl)a?\([\d\s.,%/-]+\))$/i;
const RADII: Record<string, string> = { sharp: "0px", rounded: "10px", "extra-rounded": "16px", circular: "22px" };

export function themeVariables(ui: Tree): Map<string, string> {
  const tokens = branch(ui, "design_tokens");
  const colours = branch(tokens, "colors");
  const variables = new Map<string, string>();
  const colour = (variable: string, value: unknown) => {
    if (typeof value === "string" && COLOUR.test(value.trim())) variables.set(variable, value.trim());
  };
  for (const shade of ["300", "400", "500", "600", "700"]) {
    colour(`--brand-${shade}`, branch(colours, "brand")[shade]);
  }
  // Light themes would need more than other backgrounds: this page is dark.
  if (tokens["theme"] !== "light") {
    for (const shade of ["600", "700", "800", "900", "1000"]) {
      colour(`--background-${shade}`, branch(colours, "background")[shade]);
    }
    colour("--text", colours["text"]);
    colour("--video-background", colours["video_bg"]);
  }
  colour("--text-on-brand", colours["text_on_brand"]);
  colour("--danger", colours["danger"]);
  colour("--success", colours["success"]);
  colour("--warning", colours["warning"]);
  const radius = RADII[String(tokens["border_radius"])];
  if (radius !== undefined) variables.set("--radius", radius);
  return variables;
}

export function applyTheme(ui: Tree, root: HTMLElement): void {
  for (const [name, value] of themeVariables(ui)) root.style.setProperty(name, value);
}

function branch(tree: Tree, key: string): Tree {
  const value = tree[key];
  return typeof value === "object" && value !== null ? (value as Tree) : {};
}
