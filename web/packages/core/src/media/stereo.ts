/**
 * Two channels of Opus. A browser decodes stereo only where its own answer says `stereo=1`, and there is no call
 * that makes it say so: this is the one place where an answer is changed by hand (RFC 7587 section 6.1).
 */

/** The answer with `stereo=1` for every m-line whose offer announces `sprop-stereo=1`. */
export function withStereo(answer: string, offer: string): string {
  const stereo = new Set(
    sections(offer).filter((each) => /^a=fmtp:\d+ .*\bsprop-stereo=1\b/m.test(each)).map(midOf),
  );
  if (stereo.size === 0) return answer;
  return sections(answer)
    .map((each) => (stereo.has(midOf(each)) ? speakingStereo(each) : each))
    .join("");
}

/** The session's lines, then each m-line with what belongs to it. */
function sections(sdp: string): string[] {
  return sdp.split(/^(?=m=)/m);
}

function midOf(section: string): string | undefined {
  return /^a=mid:(\S+)/m.exec(section)?.[1];
}

function speakingStereo(section: string): string {
  const opus = /^a=rtpmap:(\d+) opus\//im.exec(section)?.[1];
  if (opus === undefined || /\bstereo=1\b/.test(section.replaceAll("sprop-stereo", ""))) return section;
  const fmtp = new RegExp(`^(a=fmtp:${opus} [^\\r\\n]*)`, "m");
  if (fmtp.test(section)) return section.replace(fmtp, "$1;stereo=1");
  return section.replace(new RegExp(`^(a=rtpmap:${opus} [^\\r\\n]*)`, "m"), `$1\r\na=fmtp:${opus} stereo=1`);
}
