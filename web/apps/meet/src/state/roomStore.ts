/** A meeting as signals: listens to the SDK and keeps what the page renders. */

import { batch, computed, signal } from "@preact/signals";
import type {
  Meeting,
  Permissions,
  RoomState,
  SocketUpdate,
  StageAccessRequest,
  StageStatusName,
  WaitlistedParticipant,
} from "@rostrum/core";
import { panel } from "./panels";
import { isOnStage, type Person, remotePerson, selfPerson } from "./people";
import { applyTheme } from "./theme";
import { toast } from "./toasts";

export interface StageView {
  enabled: boolean;
  status: StageStatusName;
  access: "ALLOWED" | "NOT_ALLOWED" | "CAN_REQUEST";
  isHost: boolean;
  requests: StageAccessRequest[];
}

const SOURCE_NOUNS: Record<string, string> = { microphone: "microphone", camera: "camera" };

const MODERATED = {
  muted: (what: string) => `A host turned off your ${what}`,
  revoked: (what: string) => `You may no longer use your ${what}`,
  blocked: (what: string) => `A host has blocked your ${what}. You cannot turn it on until they allow it again`,
  allowed: (what: string) => `You may turn on your ${what} again`,
};

export class RoomStore {
  readonly me = signal<Person>(null as never);
  readonly others = signal<Person[]>([]);
  /** Who waits to be admitted, for who may admit. */
  readonly waiting = signal<WaitlistedParticipant[]>([]);
  /** Ids of those about whom one decides later. */
  readonly putOff = signal<ReadonlySet<string>>(new Set());
  readonly speaking = signal<ReadonlySet<string>>(new Set());
  readonly stage = signal<StageView>(null as never);
  readonly permissions = signal<Permissions>(null as never);
  readonly roomState = signal<RoomState>("init");
  readonly socket = signal<SocketUpdate>(null as never);
  readonly mediaTrouble = signal(false);
  readonly title = signal("");

  readonly everyone = computed(() => [this.me.value, ...this.others.value]);
  readonly onStage = computed(() => this.everyone.value.filter(isOnStage));
  readonly watching = computed(() => this.everyone.value.filter((person) => !isOnStage(person)));
  /** On the stage, and nobody else in the meeting. */
  readonly alone = computed(() => this.others.value.length === 0 && this.onStage.value.length === 1);
  readonly sharing = computed(() => this.onStage.value.filter((person) => person.screenOn));

  constructor(readonly meeting: Meeting) {
    this.refresh();
    this.follow();
    this.announce();
  }

  /** Whether the buttons for a kind are shown: on the stage, and not forbidden. */
  mayUse(kind: "audio" | "video" | "screenshare"): boolean {
    const { enabled, status } = this.stage.value;
    const wanted = this.permissions.value.media[kind].canProduce;
    return enabled ? status === "ON_STAGE" && wanted !== "NOT_ALLOWED" : wanted === "ALLOWED";
  }

  private follow(): void {
    const { self, participants, stage, meta } = this.meeting;
    const refresh = () => this.refresh();
    const refreshMe = () => {
      this.me.value = selfPerson(this.meeting);
    };
    self.on("audioUpdate", refreshMe);
    self.on("videoUpdate", refreshMe);
    self.on("screenShareUpdate", refreshMe);
    self.on("qualityUpdate", refreshMe);
    self.on("roomStateUpdate", refresh);
    const themed = () => {
      applyTheme(meta.ui, document.documentElement);
      refresh();
    };
    self.on("roomJoined", themed);
    self.on("waitlisted", themed);
    self.on("permissionsUpdate", refresh);
    participants.joined.on("participantsUpdate", (all) => {
      this.others.value = all.map(remotePerson);
    });
    participants.waitlisted.on("participantsUpdate", (all) => {
      this.waiting.value = all;
    });
    participants.on("speakersUpdate", (speakers) => {
      this.speaking.value = new Set(speakers.map((speaker) => speaker.peerId));
    });
    stage.on("stageStatusUpdate", refresh);
    stage.on("stageAccessRequestUpdate", refresh);
    meta.on("socketConnectionUpdate", refresh);
    meta.on("mediaConnectionUpdate", refresh);
  }

  private announce(): void {
    const { self, participants, stage } = this.meeting;
    participants.joined.on("participantJoined", (who) => toast(`${who.name || "Someone"} joined`));
    participants.joined.on("participantLeft", (who, reason) =>
      toast(`${who.name || "Someone"} ${reason === "kicked" ? "was removed" : "left"}`),
    );
    self.on("moderated", ({ source, action }) => {
      const what = SOURCE_NOUNS[source] ?? "screen";
      this.me.value = selfPerson(this.meeting);
      toast(MODERATED[action](what), action === "allowed" ? "good" : "bad");
    });
    self.on("publicationLimited", ({ source, forwarded, encodings, reason }) => {
      if (forwarded >= encodings) return;
      const what = SOURCE_NOUNS[source] ?? "screen";
      const said = forwarded === 0 ? "is not shown to anybody" : "is shown in lower quality";
      const much = reason === "frame_size" ? "sends larger pictures" : "sends more";
      toast(`Your ${what} ${much} than this meeting allows and ${said}`, "bad");
    });
    self.on("publishError", (error) => toast(error.message, "bad"));
    stage.on("stageRequestRejected", () => toast("Your request to join the stage was declined", "bad"));
    stage.on("removedFromStage", () => toast("A host took you off the stage", "bad"));
    stage.on("newStageRequest", ({ requests }) => {
      if (panel.value === "participants") return;
      const [first] = requests;
      if (requests.length === 1 && first) toast(`${first.displayName} asks to join the stage`);
      else toast(`${requests.length} people ask to join the stage`);
    });
    stage.on("stageStatusUpdate", (status, previous) => {
      if (!self.roomJoined || !stage.enabled) return;
      if (status === "ON_STAGE") toast("You are on the stage", "good");
      else if (status === "OFF_STAGE" && previous === "ON_STAGE") toast("You left the stage");
    });
  }

  private refresh(): void {
    const { self, participants, stage, meta } = this.meeting;
    batch(() => {
      this.me.value = selfPerson(this.meeting);
      this.others.value = participants.joined.toArray().map(remotePerson);
      this.stage.value = {
        enabled: stage.enabled,
        status: stage.status,
        access: stage.access,
        isHost: stage.isHost,
        requests: stage.accessRequests,
      };
      this.permissions.value = self.permissions;
      this.roomState.value = self.roomState;
      this.socket.value = meta.socketState;
      const { send, recv } = meta.mediaState;
      this.mediaTrouble.value = [send, recv].some((state) => state === "failed" || state === "disconnected");
      this.title.value = meta.meetingTitle ?? "";
    });
  }
}
