import { expect, test } from "vitest";
import { withStereo } from "../src/media/stereo";

const section = (mid: string, fmtp: string) =>
  `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:${mid}\r\na=rtpmap:111 opus/48000/2\r\n${fmtp}`;
const MONO = "a=fmtp:111 minptime=10;useinbandfec=1\r\n";
const STEREO = "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1\r\n";

test("only an m-line that announces two channels is answered with them", () => {
  const offer = `v=0\r\n${section("0", STEREO)}${section("1", MONO)}`;
  const answer = `v=0\r\n${section("0", MONO)}${section("1", MONO)}`;
  expect(withStereo(answer, offer)).toBe(
    `v=0\r\n${section("0", "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n")}${section("1", MONO)}`,
  );
});

test("an answer without parameters gets them, and one that says it already stays", () => {
  const offer = `v=0\r\n${section("0", STEREO)}`;
  expect(withStereo(`v=0\r\n${section("0", "")}`, offer)).toContain("a=fmtp:111 stereo=1\r\n");
  const said = `v=0\r\n${section("0", "a=fmtp:111 stereo=1\r\n")}`;
  expect(withStereo(said, offer)).toBe(said);
});

test("without stereo nothing is touched", () => {
  const text = `v=0\r\n${section("0", MONO)}`;
  expect(withStereo(text, text)).toBe(text);
});
