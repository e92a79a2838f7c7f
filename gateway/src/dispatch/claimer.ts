import { LambdaError, ServiceException } from '../errors.ts';
import type { Identity } from '../link/link.ts';
import type { Call } from './call.ts';
import type { Loss } from './effects.ts';
import type { Epochs } from './epochs.ts';
import type { PodLink } from './pod-link.ts';
import type { Packed } from './pod-talk.ts';
import { initLimitMs, isProvisioning } from './provisioned.ts';
import { roleOfHead } from './role-tokens.ts';
import type { Slot } from './slot.ts';
import { makeSpecialize } from './specialize.ts';
import type { Terms } from './terms.ts';
import type { Target } from './types.ts';

type PodSlot = Slot<PodLink, Call>;

/** What claims are made with. */
export interface ClaimerDeps {
  readonly identity: Identity;
  readonly epochs: Epochs;
  readonly terms: Pick<Terms, 'isOpen' | 'epochOf'>;
  readonly initTimeoutMs: number;
  /** Code and layers together, unpacked. */
  readonly maxUnpackedBytes: number;
  /** Code, or a layer, by digest; may reject with a LambdaError. */
  readonly code: (sha256: string) => Promise<Buffer>;
  lose(slot: PodSlot, loss: Loss): void;
}

/** The code of an image is in its pods. */
const noZip = Buffer.alloc(0);

/** Brings a claim to its pod: code and environment first, then SPECIALIZE, with INVOKE right behind when a request waits. */
export class Claimer {
  readonly #deps: ClaimerDeps;

  constructor(deps: ClaimerDeps) {
    this.#deps = deps;
  }

  claim(slot: PodSlot, target: Target): void {
    const layers = Promise.all(target.layers.map(({ sha256 }) => this.#deps.code(sha256)));
    const zip = target.image === undefined ? this.#deps.code(target.codeSha256) : noZip;
    Promise.all([target.environment(), zip, layers]).then(
      ([environment, code, zips]) => this.#specialize(slot, target, environment, { code, layers: zips }),
      (error: unknown) => this.#cannotSpecialize(slot, target, error),
    );
  }

  #specialize(
    slot: PodSlot,
    target: Target,
    environment: Readonly<Record<string, string>>,
    zips: Omit<Packed, 'head'>,
  ): void {
    if (slot.state === 'Gone') return;
    if (zips.layers.length > 0 && !slot.pod.knowsLayers) {
      this.#cannotSpecialize(slot, target, tooOld(target));
      return;
    }
    const epoch = this.#epochFor(slot);
    if (epoch === null) {
      this.#loseUnsent(slot, 'The function went to another gateway before its claim was sent. It did not run.');
      slot.pod.letSlotGo();
      return;
    }
    const initTimeoutMs = initLimitMs(slot.state, target, this.#deps.initTimeoutMs);
    const { maxUnpackedBytes } = this.#deps;
    const perInstance = slot.mates?.length ?? 1;
    const isForLater = isProvisioning(slot.state, target);
    const rules = { initTimeoutMs, maxUnpackedBytes, epoch, perInstance, isProvisioning: isForLater };
    const head = makeSpecialize(target, environment, rules, roleOfHead(target, slot.pod));
    if (slot.pod.specialize(slot, epoch, { head, ...zips })) return;
    this.#loseUnsent(slot, 'The link to the pod was lost before the claim was sent. The request did not run.');
  }

  #loseUnsent(slot: PodSlot, message: string): void {
    this.#deps.lose(slot, { mayRetry: true, error: new ServiceException(message), isSuspicious: false });
  }

  /** An agent without holders compares with the epoch of AUTH. Null = a function with reserved concurrency whose term is over. */
  #epochFor({ pod, version }: PodSlot): number | null {
    const { terms, identity, epochs } = this.#deps;
    const { cap, key } = version.owner;
    if (cap !== null && !terms.isOpen(key)) return null;
    if (!pod.hasHolders) return identity.epoch;
    return cap === null ? epochs.next() : terms.epochOf(key);
  }

  /** Environment or code is not to be had: the pod is as generic as before, the request has its error. */
  #cannotSpecialize(slot: PodSlot, target: Target, cause: unknown): void {
    if (slot.state === 'Gone') return;
    const message = `The code or the environment of ${target.functionName} could not be read. The request did not run.`;
    const error = cause instanceof LambdaError ? cause : new ServiceException(message, { cause });
    // Without a request nobody would hear of it and the claim would come again at once: let it pause.
    const isSuspicious = slot.request === null;
    this.#deps.lose(slot, { mayRetry: false, error, isSuspicious });
    slot.pod.letSlotGo();
  }
}

/** Fails closed: without its layers the function would be another one. The pools' pods are replaced soon after an upgrade. */
function tooOld({ functionName, pool }: Target): ServiceException {
  const message = `The pods of the pool ${pool} are older than layers, which ${functionName} has. They are about to be replaced; the request did not run.`;
  return new ServiceException(message, { retryAfterSeconds: 5 });
}
