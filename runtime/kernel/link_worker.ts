/** The thread that strategies are linked on; see link_thread.ts. */
import { linkAnswers, type LinkReply, type LinkRequest } from "../strategy/linker.ts";

export type LinkOutcome =
  | { readonly ok: true; readonly reply: LinkReply }
  | { readonly ok: false; readonly fault: string };

const thread = self as unknown as {
  onmessage: (event: MessageEvent<LinkRequest>) => void;
  postMessage(outcome: LinkOutcome): void;
};

thread.onmessage = ({ data }) => {
  try {
    thread.postMessage({ ok: true, reply: linkAnswers(data) });
  } catch (error) {
    thread.postMessage({ ok: false, fault: (error as Error).stack ?? String(error) });
  }
};
