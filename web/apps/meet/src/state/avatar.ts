/** Initials and a colour that stay with a person, for when there is no picture. */

/** Hues apart enough to tell neighbours, at a lightness on which white text reads well. */
export const AVATAR_COLOURS = [
  "#3d5a99", "#7a4b94", "#97485f", "#8d5a2b", "#5f6f2a", "#2f7358", "#2b6f83", "#5457a6",
];

export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return picked.map((word) => [...(word ?? "")][0]?.toUpperCase() ?? "").join("") || "?";
}

export function avatarColour(id: string): string {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.codePointAt(0)!) >>> 0;
  return AVATAR_COLOURS[hash % AVATAR_COLOURS.length]!;
}
