import { describe, expect, it } from "vitest";
import { avatarColour, initials } from "../src/state/avatar";
import { parseLaunch, videoCodecOf, wantsRelay } from "../src/state/launch";
import { themeVariables } from "../src/state/theme";

const now = new Date("2026-01-01T12:00:00Z");
const token = (claims: object) => `e30.${btoa(JSON.stringify(claims)).replace(/=+$/, "")}.signature`;

describe("the link", () => {
  it("without a token is incomplete", () => {
    expect(parseLaunch("", now)).toEqual({ kind: "problem", problem: "missing" });
    expect(parseLaunch("#token=", now)).toEqual({ kind: "problem", problem: "missing" });
  });

  it.each(["abc", "a.b.c", "e30.!!!.x", `e30.${btoa("[1]").replace(/=/g, "")}x.y`])("with %s is invalid", (text) => {
    expect(parseLaunch(`#token=${text}`, now)).toEqual({ kind: "problem", problem: "invalid" });
  });

  it("that is too old says so", () => {
    const expired = token({ exp: now.getTime() / 1000 - 1 });
    expect(parseLaunch(`#token=${expired}`, now)).toEqual({ kind: "problem", problem: "expired" });
  });

  it("that may still be good is taken to the server", () => {
    const fresh = token({ exp: now.getTime() / 1000 + 60 });
    expect(parseLaunch(`#token=${fresh}`, now)).toEqual({ kind: "ready", token: fresh });
  });
});

describe("the wish for a relay", () => {
  it("is part of the link", () => {
    expect(wantsRelay(`#token=${token({})}&relay=1`)).toBe(true);
    expect(wantsRelay(`#token=${token({})}`)).toBe(false);
  });
});

describe("the camera's codec", () => {
  it("is part of the link, if it is one that we know", () => {
    expect(videoCodecOf(`#token=${token({})}&codec=VP9`)).toBe("VP9");
    expect(videoCodecOf(`#token=${token({})}&codec=av1`)).toBe("AV1");
    expect(videoCodecOf(`#token=${token({})}&codec=h265`)).toBe("H265");
    expect(videoCodecOf(`#token=${token({})}&codec=theora`)).toBeUndefined();
    expect(videoCodecOf(`#token=${token({})}`)).toBeUndefined();
  });
});

describe("an avatar", () => {
  it.each([["Ada Lovelace", "AL"], ["ada", "A"], ["Jean Luc  Picard", "JP"], ["  ", "?"], ["李 雷", "李雷"], ["𝒜nna", "𝒜"]])(
    "of %s reads %s",
    (name, letters) => expect(initials(name)).toBe(letters),
  );

  it("keeps its colour", () => {
    expect(avatarColour("peer_1")).toBe(avatarColour("peer_1"));
    expect(new Set(Array.from({ length: 40 }, (_, id) => avatarColour(`peer_${id}`))).size).toBeGreaterThan(4);
  });
});

describe("a theme", () => {
  const theme = (colors: object, extra: object = {}) => themeVariables({ design_tokens: { colors, ...extra } });

  it("sets the colours and the radius that a preset names", () => {
    const variables = theme({ brand: { "500": "#123456" }, text: "rgb(1 2 3)" }, { border_radius: "sharp" });
    expect([...variables]).toEqual([["--brand-500", "#123456"], ["--text", "rgb(1 2 3)"], ["--radius", "0px"]]);
  });

  it.each(["url(http://x)", "red; background: url(x)", "var(--x)", 7, null])("leaves %s out", (value) => {
    expect(theme({ danger: value }).size).toBe(0);
  });

  it("that is light changes no backgrounds, for the page is dark", () => {
    expect(theme({ background: { "1000": "#ffffff" }, text: "#000000" }, { theme: "light" }).size).toBe(0);
  });
});
