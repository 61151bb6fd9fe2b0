/** What is said in the place of a picture that is encrypted end to end and cannot be opened here. */

import type { EncryptionProblem } from "@rostrum/core";
import type { JSX } from "preact";
import { Lock, Unlock } from "./icons";

const WORDS: Record<EncryptionProblem, string> = {
  no_passphrase: "Encrypted: you need the passphrase",
  wrong_passphrase: "Encrypted with another passphrase",
  not_encrypted: "Not encrypted, so not shown",
  unsupported_codec: "Encrypted in a way that cannot be opened here",
};

export function wordsOf(problem: EncryptionProblem): string {
  return WORDS[problem];
}

export function EncryptedNote({ problem, testId }: { problem: EncryptionProblem; testId: string }): JSX.Element {
  return (
    <p class="encrypted-note" role="status" data-testid={testId} data-problem={problem}>
      {problem === "not_encrypted" ? <Unlock /> : <Lock />}
      <span>{WORDS[problem]}</span>
    </p>
  );
}
