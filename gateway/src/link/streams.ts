import type { LinkError } from './link-error.ts';
import type { PodState, ReportBody, ResponseHead } from './messages.ts';

/** Takes what the agent says about one SPECIALIZE. */
export interface ClaimSink {
  onSpecialized(alreadyClaimed: boolean): void;
  onRefused(error: LinkError): void;
  onLost(error: LinkError): void;
}

/** Takes what the agent says about one INVOKE. */
export interface InvokeSink {
  /** `payload` belongs to the receiver. */
  onResponse(head: ResponseHead, payload: Buffer): void;
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
  | { readonly kind: 'invoke'; readonly sink: InvokeSink; answer: PartialAnswer | null }
  | { readonly kind: 'adopt'; readonly sink: AdoptSink }
  | { readonly kind: 'fence'; readonly sink: FenceSink };

/** A response whose DATA frames are not all in. */
export interface PartialAnswer {
  readonly head: ResponseHead;
  readonly pieces: Buffer[];
  bytes: number;
}
