/**
 * One call to MinIO with what npm:minio lacks: an AbortSignal, a limit on silence and on the whole time, an end to
 * answers that never end, and no connection left behind. Redirects are not followed: node:http never does.
 */
import http from "node:http";
import https from "node:https";
import { Transform } from "node:stream";
import type { Clock } from "../clock.ts";

/** Lists and error texts are read whole by npm:minio; more than this is cut off, and does not parse. */
const MAX_XML_BYTES = 4 * 2 ** 20;

export interface RequestLimits {
  /** Longest silence: before the answer begins, and between two pieces of it. */
  readonly silenceMs: number;
  /** Longest call. */
  readonly totalMs: number;
}

/** What the client is given as its `transport`. */
export interface Transport {
  request(
    options: https.RequestOptions,
    callback: (response: http.IncomingMessage) => void,
  ): http.ClientRequest;
}

export interface Request {
  readonly transport: Transport;
  /** Aborted by the caller, by silence, or by the total time; its reason says which. */
  readonly signal: AbortSignal;
  /** Tells that something arrived. */
  alive(): void;
}

/** Why a call was given up. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
}

/** Runs `call`, and ends its connections whichever way it ends. */
export async function withRequest<T>(
  clock: Pick<Clock, "after">,
  limits: RequestLimits,
  secure: boolean,
  caller: AbortSignal | undefined,
  call: (request: Request) => Promise<T>,
): Promise<T> {
  caller?.throwIfAborted();
  const stop = new AbortController();
  const open = new Set<http.ClientRequest>();
  const giveUp = (reason: unknown) => {
    stop.abort(reason);
    for (const request of open) request.destroy(reason instanceof Error ? reason : new Error(String(reason)));
  };
  const onCaller = () => giveUp(caller!.reason);
  caller?.addEventListener("abort", onCaller, { once: true });
  const silence = () =>
    clock.after(limits.silenceMs, () => giveUp(new TimedOut(`no answer in ${limits.silenceMs} ms`)));
  let cancelSilence = silence();
  const cancelTotal = clock.after(
    limits.totalMs,
    () => giveUp(new TimedOut(`not done in ${limits.totalMs} ms`)),
  );
  const alive = () => {
    cancelSilence();
    cancelSilence = silence();
  };
  const transport: Transport = {
    request(options, callback) {
      // No agent: a kept-alive connection would outlive the server's restart and fail the first call after it.
      const request = (secure ? https : http).request({ ...options, agent: false }, (response) => {
        alive();
        // npm:minio leaves an answer unread where its status is enough; its later end must not be an uncaught error.
        response.on("error", () => {});
        callback(isObject(options, response) ? response : cut(response, alive));
      });
      open.add(request);
      request.on("close", () => open.delete(request));
      return request;
    },
  };
  try {
    return await call({ transport, signal: stop.signal, alive });
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    cancelSilence();
    cancelTotal();
    caller?.removeEventListener("abort", onCaller);
    for (const request of open) request.destroy();
  }
}

/** An object's body is read by the store under its own limit; everything else is XML. */
function isObject({ method, path }: https.RequestOptions, { statusCode }: http.IncomingMessage): boolean {
  return method === "HEAD" || (method === "GET" && statusCode === 200 && !path?.includes("?"));
}

function cut(response: http.IncomingMessage, alive: () => void): http.IncomingMessage {
  let length = 0;
  const limiter = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      alive();
      length += chunk.length;
      if (length <= MAX_XML_BYTES) return done(null, chunk);
      response.destroy();
      done(new Error(`the answer is longer than ${MAX_XML_BYTES} bytes`));
    },
  });
  limiter.on("error", () => {});
  response.on("error", (error) => limiter.destroy(error));
  const { statusCode, headers } = response;
  return Object.assign(response.pipe(limiter), { statusCode, headers }) as unknown as http.IncomingMessage;
}
