import type { ChildProcess } from 'node:child_process';
import { createHash, generateKeyPairSync, randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dial, LinkError, type PodConnection, type ReportBody, type ResponseHead } from '@kappa/gateway/link';
import { readProcess } from '@kappa/local/processes';
import { isImage, type Place, runtimeOf, startHere, startInImage } from './testing-places.ts';
import { makeZip, type TestFiles } from './zip.ts';

/** The function that a test puts into a pod. */
export interface TestFunction {
  readonly files: TestFiles;
  readonly handler: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly logFormat?: 'Text' | 'JSON';
  readonly timeoutMs?: number;
  /** Invocations at once. */
  readonly perInstance?: number;
  /** Files of each layer. */
  readonly layers?: readonly TestFiles[];
}

/** What came back for one invocation. */
export interface TestOutcome {
  readonly head: ResponseHead;
  readonly text: string;
  readonly report: ReportBody;
}

/** What came back for one invocation whose answer may be streamed. */
export interface TestStream extends TestOutcome {
  /** Its end has come. */
  readonly isComplete: boolean;
  /** The error that came instead. */
  readonly aborted: { readonly errorType: string | undefined; readonly text: string } | null;
}

/** A real agent with a real bootstrap below it, on a loopback address of its own. */
export class TestPod {
  /** Where the function's code is, as the function sees it. */
  readonly taskRoot: string;
  /** Where its layers are, as it sees it. */
  readonly optRoot: string;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #link: PodConnection;
  #output = '';
  readonly #exited: Promise<number | null>;

  private constructor(process: ChildProcess, folder: string, link: PodConnection, isInImage: boolean) {
    this.taskRoot = isInImage ? '/var/task' : path.join(folder, 'task');
    this.optRoot = isInImage ? '/opt' : path.join(folder, 'opt');
    this.#process = process;
    this.#folder = folder;
    this.#link = link;
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    this.#exited = new Promise((resolve) => process.on('exit', resolve));
  }

  /**
   * Starts a pod and opens the link to it; the process below is warm or warming.
   * @param place what runs the agent and the language
   */
  static async start(runtime: string, place: Place = process.execPath): Promise<TestPod> {
    const entry = runtimeOf(runtime);
    const folder = mkdtempSync(path.join(tmpdir(), 'kappa-runtime-'));
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
    const podUid = randomUUID();
    const env = {
      PATH: process.env['PATH'],
      KAPPA_POD_UID: podUid,
      KAPPA_POD_NAME: 'test',
      KAPPA_POD_IP: host,
      KAPPA_RUNTIME: runtime,
      KAPPA_GATEWAY_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      KAPPA_RUNTIME_API: `${host}:9001`,
      KAPPA_FRESH_PROCESS: entry.freshProcess.join(','),
    };
    const agent = isImage(place) ? startInImage(place, env) : startHere(entry, place, folder, env);
    const identity = { gatewayId: 'test', epoch: 1, signingKey: privateKey };
    try {
      const link = await openLink({ host, port: 9100, podUid }, identity);
      return new TestPod(agent, folder, link, isImage(place));
    } catch (error) {
      agent.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Process id of the agent. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Process ids of what the agent has started and that runs. */
  get children(): readonly number[] {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => readProcess(pid)?.parent === this.pid);
  }

  /** Everything that the pod has logged until now. */
  get output(): string {
    return this.#output;
  }

  /** Claims the pod. Rejects with a LinkError when it is refused. */
  claim(fn: TestFunction): Promise<void> {
    const zip = makeZip(fn.files);
    const layers = (fn.layers ?? []).map(makeZip);
    const head = {
      versionUid: randomUUID(),
      functionName: 'my-function',
      functionNamespace: 'default',
      version: '$LATEST',
      handler: fn.handler,
      memoryMiB: 128,
      timeoutMs: fn.timeoutMs ?? 20_000,
      initTimeoutMs: 10_000,
      perInstance: fn.perInstance ?? 1,
      environment: fn.environment ?? {},
      accountId: '000000000000',
      region: 'us-east-1',
      logFormat: fn.logFormat ?? 'Text',
      codeSha256: sha256Of(zip),
      codeBytes: zip.length,
      maxUnpackedBytes: 262_144_000,
      epoch: 1,
      layers: layers.map((layer) => ({ sha256: sha256Of(layer), bytes: layer.length })),
    };
    return new Promise((resolve, reject) => {
      this.#link.claim(JSON.stringify(head), Buffer.concat([zip, ...layers]), {
        onSpecialized: () => resolve(),
        onRefused: reject,
        onLost: reject,
      });
    });
  }

  /** Runs one invocation until its report. `event` is JSON text. */
  invoke(event: string, head: Readonly<Record<string, unknown>> = {}): Promise<TestOutcome> {
    const full = {
      requestId: randomUUID(),
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:my-function',
      ...head,
    };
    return new Promise((resolve, reject) => {
      let answer: { head: ResponseHead; text: string } | undefined;
      this.#link.invoke(JSON.stringify(full), Buffer.from(event), {
        onResponse: (responseHead, payload) => {
          answer = { head: responseHead, text: payload.toString('utf8') };
        },
        onStream: () => ({ onPiece: () => undefined, onEnd: () => undefined }), // it is not asked for
        onAborted: () => undefined,
        onReport: (report) =>
          answer === undefined ? reject(new Error('REPORT before RESPONSE')) : resolve({ ...answer, report }),
        onRefused: reject,
        onLost: reject,
      });
    });
  }

  /**
   * Runs one invocation whose answer may be streamed, until its report.
   * @param onPiece sees each piece, as text
   */
  stream(event: string, onPiece: (piece: string) => unknown = () => undefined): Promise<TestStream> {
    const head = {
      requestId: randomUUID(),
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:my-function',
      stream: { windowBytes: 262_144, maxBytes: 20 * 1024 * 1024 },
    };
    return new Promise((resolve, reject) => {
      let answer = { head: { kind: 'response' } as ResponseHead, text: '', isComplete: false };
      let aborted: TestStream['aborted'] = null;
      this.#link.invoke(JSON.stringify(head), Buffer.from(event), {
        onResponse: (responseHead, payload) => {
          answer = { head: responseHead, text: payload.toString('utf8'), isComplete: responseHead.kind === 'response' };
        },
        onStream: (responseHead, credit) => {
          answer.head = responseHead;
          return {
            onPiece: (piece) => {
              answer.text += piece.toString('latin1');
              credit(piece.length);
              onPiece(piece.toString('latin1'));
            },
            onEnd: () => {
              answer.isComplete = true;
            },
          };
        },
        onAborted: (errorType, payload) => {
          aborted = { errorType, text: payload.toString('utf8') };
        },
        onReport: (report) => resolve({ ...answer, aborted, report }),
        onRefused: reject,
        onLost: reject,
      });
    });
  }

  /** Ends the pod, waits for it and removes its files. Returns all it has logged. */
  async stop(): Promise<string> {
    this.#link.close();
    this.#process.kill('SIGTERM');
    // A pod that does not end must not hold the tests; they have failed by then or do not care.
    const force = setTimeout(() => this.#process.kill('SIGKILL'), 5_000);
    await this.#exited;
    clearTimeout(force);
    rmSync(this.#folder, { recursive: true, force: true });
    return this.#output;
  }
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function openLink(
  ...[address, identity]: [Parameters<typeof dial>[0], Parameters<typeof dial>[1]]
): Promise<PodConnection> {
  const clock = {
    nowMs: () => performance.now(),
    after: (delayMs: number, call: () => void) => {
      const timer = setTimeout(call, delayMs);
      return () => clearTimeout(timer);
    },
  };
  const budget = { budgetMs: 10_000, minPauseMs: 5, maxPauseMs: 50 };
  return new Promise((resolve, reject) => {
    dial(
      address,
      identity,
      clock,
      { opened: resolve, failed: reject, stateChanged: () => {}, closed: () => {} },
      budget,
    );
  });
}

export { LinkError };
