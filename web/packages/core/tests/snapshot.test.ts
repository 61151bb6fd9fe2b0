import type { PublicationInfo, Snapshot } from "@rostrum/protocol";
import { describe, expect, it } from "vitest";
import { eventsTo, type Known } from "../src/snapshot";
import { peerInfo, snapshotOf } from "./support/world";

function publication(id: string, peer: string, overrides: Partial<PublicationInfo> = {}): PublicationInfo {
  const { publication_id, peer_id } = { publication_id: id, peer_id: peer };
  const rest = { source: "camera", kind: "video", codec: "video/VP8", encodings: 3 } as const;
  return { publication_id, peer_id, ...rest, muted: false, muted_by: null, encrypted: false, ...overrides };
}

const known: Known = {
  selfId: "peer_me",
  peers: [
    { id: "a", publications: [publication("pub_a", "a")] },
    { id: "b", publications: [publication("pub_b", "b")] },
  ],
};

function types(snapshot: Snapshot): string[] {
  const always = ["permissions_updated", "stage", "stage_requests", "waiting_list"];
  return eventsTo(snapshot, known)
    .map((event) => event.type)
    .filter((type) => !always.includes(type));
}

describe("the events to a snapshot", () => {
  it("say of those who stayed only how they are now", () => {
    const snapshot = snapshotOf({
      peers: [peerInfo("a"), peerInfo("b")],
      publications: [publication("pub_a", "a"), publication("pub_b", "b")],
    });
    expect(types(snapshot)).toEqual([
      "peer_updated",
      "peer_updated",
      "peer_updated",
      "publication_updated",
      "publication_updated",
    ]);
  });

  it("end what is gone before they let its owner leave", () => {
    const snapshot = snapshotOf({ peers: [peerInfo("a")], publications: [publication("pub_a", "a")] });
    const events = eventsTo(snapshot, known);
    expect(events.slice(0, 2)).toEqual([
      { type: "publication_removed", publication_id: "pub_b", peer_id: "b", reason: "unpublished" },
      { type: "peer_left", peer_id: "b", reason: "left" },
    ]);
  });

  it("bring who and what is new, the peer before what it publishes", () => {
    const snapshot = snapshotOf({
      peers: [peerInfo("a"), peerInfo("b"), peerInfo("c")],
      publications: [publication("pub_a", "a"), publication("pub_b", "b"), publication("pub_c", "c")],
    });
    const found = types(snapshot);
    expect(found.indexOf("peer_joined")).toBeLessThan(found.indexOf("publication_added"));
    expect(found.filter((type) => type === "peer_joined" || type === "publication_added")).toHaveLength(2);
  });

  it("take one's own publications for known", () => {
    const own = publication("pub_me", "peer_me", { muted: true, muted_by: "moderator" });
    const events = eventsTo(snapshotOf({ publications: [own] }), { selfId: "peer_me", peers: [] });
    expect(events).toContainEqual({ type: "publication_updated", publication: own });
  });
});
