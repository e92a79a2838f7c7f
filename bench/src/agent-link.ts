import { createHash, type KeyObject, randomUUID } from 'node:crypto';
import { defaultDialBudget, dial, type PodConnection } from '@kappa/gateway/link';
import { zipOf } from './zip.ts';

/** A pod that the bench claims for itself and calls over the agent's link, with nothing in between: the floor of a warm call. */
export class AgentLink {
  readonly #connection: PodConnection;

  private constructor(connection: PodConnection) {
    this.#connection = connection;
  }

  /**
   * Opens the link and claims the pod for a function of one file.
   *
   * @param host address of the pod
   * @param signingKey the private half of the key that the pod's agent knows
   * @param source text of `index.mjs`
   */
  static async open(host: string, podUid: string, signingKey: KeyObject, source: string): Promise<AgentLink> {
    const connection = await open(host, podUid, signingKey);
    await specialize(connection, await zipOf({ 'index.mjs': source }));
    return new AgentLink(connection);
  }

  /** Calls one after the other, 512 bytes each; microseconds from the INVOKE to the RESPONSE, the REPORT awaited in between. */
  async latenciesUs(count: number): Promise<readonly number[]> {
    const latencies: number[] = [];
    for (let call = 0; call < count; call++) latencies.push(await this.#call());
    return latencies;
  }

  close(): void {
    this.#connection.close();
  }

  #call(): Promise<number> {
    const head = JSON.stringify({
      requestId: randomUUID(),
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    });
    const startMs = performance.now();
    let latencyUs = 0;
    return new Promise((resolve, reject) => {
      this.#connection.invoke(head, Buffer.from(`{"pad":"${'x'.repeat(502)}"}`), {
        onResponse: () => {
          latencyUs = (performance.now() - startMs) * 1000;
        },
        onStream: () => ({ onPiece: () => undefined, onEnd: () => undefined }), // it is not asked for
        onAborted: () => undefined,
        onReport: () => resolve(latencyUs),
        onRefused: reject,
        onLost: reject,
      });
    });
  }
}

function open(host: string, podUid: string, signingKey: KeyObject): Promise<PodConnection> {
  const identity = { gatewayId: 'bench', epoch: 1, signingKey };
  const clock = {
    nowMs: () => performance.now(),
    after: (delayMs: number, call: () => void) => {
      const timer = setTimeout(call, delayMs);
      return () => clearTimeout(timer);
    },
  };
  return new Promise((resolve, reject) => {
    const owner = { opened: resolve, failed: reject, closed: () => undefined, stateChanged: () => undefined };
    dial({ host, port: 9100, podUid }, identity, clock, owner, defaultDialBudget);
  });
}

function specialize(connection: PodConnection, code: Buffer): Promise<void> {
  const head = JSON.stringify({
    versionUid: 'direct',
    functionName: 'hello',
    functionNamespace: 'default',
    version: '$LATEST',
    handler: 'index.handler',
    runtime: 'nodejs24.x',
    memoryMiB: 512,
    timeoutMs: 10_000,
    initTimeoutMs: 10_000,
    perInstance: 1,
    environment: {},
    accountId: '000000000000',
    region: 'us-east-1',
    logFormat: 'Text',
    codeSha256: createHash('sha256').update(code).digest('hex'),
    codeBytes: code.length,
    maxUnpackedBytes: 262_144_000,
    epoch: 1,
  });
  return new Promise((resolve, reject) => {
    connection.claim(head, code, { onSpecialized: () => resolve(), onRefused: reject, onLost: reject });
  });
}
