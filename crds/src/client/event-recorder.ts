import { events, type KubernetesEvent, type ObjectReference } from './kinds.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { Runtime } from './runtime.ts';

/** What an event says. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase word for programs, at most 128 characters. */
  readonly reason: string;
  /** For people; cut at 1,024 characters. No secrets, no text that is new each time. */
  readonly message: string;
  /** What was being done, CamelCase. Default: the reason. */
  readonly action?: string;
}

/** Kubernetes' bound on `note`, characters. */
const noteMaxChars = 1_024;
/** Events remembered to count repetitions. */
const rememberedMax = 1_000;
/** A repetition after so long is an event of its own, milliseconds (as in client-go). */
const seriesMs = 6 * 60_000;
/** Counts are written at most so often per event, milliseconds. */
const writeEveryMs = 60_000;

interface Remembered {
  readonly namespace: string;
  readonly name: string;
  count: number;
  lastMs: number;
  writtenMs: number;
}

/** Writes `events.k8s.io/v1`, one object for a series of equal ones. A storm costs one write a minute. */
export class EventRecorder {
  readonly #kubernetes: Pick<Kubernetes, 'create' | 'patch'>;
  readonly #runtime: Runtime;
  readonly #source: { readonly component: string; readonly instance: string };
  readonly #onProblem: (problem: unknown) => void;
  /** By object and text; the oldest is dropped at `rememberedMax`. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(
    kubernetes: Pick<Kubernetes, 'create' | 'patch'>,
    runtime: Runtime,
    source: { readonly component: string; readonly instance: string },
    onProblem: (problem: unknown) => void,
  ) {
    this.#kubernetes = kubernetes;
    this.#runtime = runtime;
    this.#source = source;
    this.#onProblem = onProblem;
  }

  /** Never rejects. */
  async record(regarding: ObjectReference, text: EventText): Promise<void> {
    const key = JSON.stringify([
      regarding.uid,
      regarding.kind,
      regarding.namespace,
      regarding.name,
      text.type,
      text.reason,
      text.message,
    ]);
    const nowMs = this.#runtime.nowMs();
    const before = this.#remembered.get(key);
    try {
      if (before === undefined || nowMs - before.lastMs > seriesMs) await this.#first(key, regarding, text, nowMs);
      else await this.#again(before, nowMs);
    } catch (error) {
      this.#onProblem(error);
    }
  }

  async #first(key: string, regarding: ObjectReference, text: EventText, nowMs: number): Promise<void> {
    const namespace = regarding.namespace === undefined || regarding.namespace === '' ? 'default' : regarding.namespace;
    const name = `${(regarding.name ?? 'kappa').slice(0, 200)}.${this.#runtime.uuid().replaceAll('-', '').slice(0, 16)}`;
    this.#remember(key, { namespace, name, count: 1, lastMs: nowMs, writtenMs: nowMs });
    const event: Omit<KubernetesEvent, 'metadata' | 'apiVersion' | 'kind'> = {
      eventTime: microTime(this.#runtime.wallMs()),
      reportingController: `kappa.dev/${this.#source.component}`,
      reportingInstance: this.#source.instance.slice(0, 128),
      action: text.action ?? text.reason,
      reason: text.reason,
      regarding,
      note: text.message.slice(0, noteMaxChars),
      type: text.type,
    };
    await this.#kubernetes.create(events, { ...event, metadata: { namespace, name } });
  }

  async #again(before: Remembered, nowMs: number): Promise<void> {
    before.count += 1;
    before.lastMs = nowMs;
    if (nowMs - before.writtenMs < writeEveryMs) return;
    before.writtenMs = nowMs;
    const series = { count: before.count, lastObservedTime: microTime(this.#runtime.wallMs()) };
    await this.#kubernetes.patch(events, before.namespace, before.name, { series });
  }

  #remember(key: string, entry: Remembered): void {
    this.#remembered.delete(key); // so that it becomes the youngest
    this.#remembered.set(key, entry);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > rememberedMax && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

/** `what` an object is, for `regarding`. */
export function referenceTo(object: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
}): ObjectReference {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid };
}

/** RFC 3339 with six digits, as Kubernetes' MicroTime wants it. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/Z$/, '000Z');
}
