import type { ErrorCode } from './generated/frames.ts';

/**
 * Why a link, or one stream of it, failed: a code of the ERROR frame, or one that only the gateway's side knows.
 * `Unreachable`: no TCP connection within the budget. `NoAnswer`: connected, but no HELLO or WELCOME in time.
 * `Lost`: the connection broke. `Closed`: this side let go of it.
 */
export type LinkErrorCode = ErrorCode | 'Unreachable' | 'NoAnswer' | 'Lost' | 'Closed';

/** A failure of the link to one pod. */
export class LinkError extends Error {
  readonly code: LinkErrorCode;
  /** StaleEpoch: the highest epoch that the agent has seen; null when it did not say. */
  readonly epoch: number | null;

  constructor(code: LinkErrorCode, message: string, options: ErrorOptions & { readonly epoch?: number } = {}) {
    super(message, options);
    this.name = 'LinkError';
    this.code = code;
    this.epoch = options.epoch ?? null;
  }

  /** Another try at the same address cannot help: the pod there is not the one that is meant, or refuses us. */
  get isFatal(): boolean {
    return fatal.has(this.code);
  }
}

const fatal: ReadonlySet<LinkErrorCode> = new Set<LinkErrorCode>([
  'WrongPod',
  'BadSignature',
  'StaleEpoch',
  'UnsupportedProtocol',
  'NotAuthenticated',
]);
