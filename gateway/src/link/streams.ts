import type { Credit, Inflow } from './inflow.ts';
import type { LinkError } from './link-error.ts';
import type { PodState, ReportBody, ResponseHead } from './messages.ts';

/** Takes what the agent says about one SPECIALIZE. */
export interface ClaimSink {
  /** @param initError why init has failed, of a claim whose answer waits for it: provisioned concurrency. Absent = it did not, or is not known */
  onSpecialized(alreadyClaimed: boolean, initError?: string): void;
  onRefused(error: LinkError): void;
  onLost(error: LinkError): void;
}

/** Takes the pieces of one streamed answer. Without `onEnd` it is not complete. */
export interface StreamSink {
  /** Not empty; belongs to the receiver. */
  onPiece(piece: Buffer): void;
  /** The last word: that was all. */
  onEnd(): void;
}

/** Takes what the agent says about one INVOKE. */
export interface InvokeSink {
  /** `payload` belongs to the receiver. */
  onResponse(head: ResponseHead, payload: Buffer): void;
  /**
   * The answer begins, and comes as the function writes it: only when INVOKE has said that it may.
   * @param credit to be called for what was taken, so that more comes
   */
  onStream(head: ResponseHead, credit: Credit): StreamSink;
  /** The function, or its end, ends a streamed answer before its end. `payload` belongs to the receiver. */
  onAborted(errorType: string | undefined, payload: Buffer): void;
  /** Ends the stream. */
  onReport(report: ReportBody): void;
  onRefused(error: LinkError): void;
  onLost(error: LinkError): void;
}

/** Takes the agent's answer to one ADOPT. */
export interface AdoptSink {
  /** The asker is the holder now; `busy` still runs. */
  onAdopted(busy: readonly string[]): void;
  onRefused(error: LinkError): void;
  onLost(error: LinkError): void;
}

/** Takes the agent's answer to one FENCE. */
export interface FenceSink {
  /** What the pod is; no older claim of the function can succeed any more. */
  onFenced(state: PodState): void;
  onRefused(error: LinkError): void;
  onLost(error: LinkError): void;
}

/** What a stream that is open still expects. */
export type Stream =
  | { readonly kind: 'claim'; readonly sink: ClaimSink }
  | { readonly kind: 'invoke'; readonly sink: InvokeSink; answer: PartialAnswer | Inflow | null }
  | { readonly kind: 'adopt'; readonly sink: AdoptSink }
  | { readonly kind: 'fence'; readonly sink: FenceSink };

/** A whole response whose DATA frames are not all in. */
export interface PartialAnswer {
  readonly head: ResponseHead;
  readonly pieces: Buffer[];
  bytes: number;
}
