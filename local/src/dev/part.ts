import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { identify, type ProcessId } from '../node/proc.ts';

/** One process of the platform, as it is started. */
export interface PartSpec {
  readonly name: string;
  /** Arguments of Node: the file first. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** True once it serves. Asked again and again; a throw is a no. */
  readonly isReady: () => Promise<boolean>;
}

/** What a part tells its surroundings. */
export interface PartDoors {
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  readonly now: () => number;
  /** A line of its output. */
  readonly onLine: (name: string, line: string) => void;
  /** Something the supervisor says about it. */
  readonly onNote: (note: string) => void;
  /** It has another process now, or none. */
  readonly onProcess: (name: string, id: ProcessId | null) => void;
}

const firstPauseMs = 250;
const longestPauseMs = 5000;
/** Whoever lived so long has not died of its start: the next pause is short again. */
const healthyMs = 10_000;
const rememberedLines = 20;
/** A part that dies so often before it served once has a cause that trying again does not mend. */
const maxEarlyDeaths = 4;

/**
 * A child process that is started again when it dies by itself, and stays down when it was stopped.
 * It has a session of its own, so Ctrl-C at the terminal reaches only the supervisor, which ends the parts in order.
 */
export class Part {
  readonly #spec: PartSpec;
  readonly #doors: PartDoors;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #isWanted = false;
  #pauseMs = firstPauseMs;
  #lines: string[] = [];
  #waiting = new AbortController();
  /** Ends without ever having served since `start`. */
  #earlyDeaths = 0;

  constructor(spec: PartSpec, doors: PartDoors) {
    this.#spec = spec;
    this.#doors = doors;
  }

  get name(): string {
    return this.#spec.name;
  }

  /** Number of the process that runs now; null while there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Starts it; does nothing when it runs. Resolves at once: see `ready`. */
  start(): void {
    this.#isWanted = true;
    this.#earlyDeaths = 0;
    if (this.#child === null) this.#spawn();
  }

  /** Waits until it serves. @throws Error with its last lines when it does not within `withinMs` */
  async ready(withinMs = 60_000): Promise<void> {
    const deadlineMs = this.#doors.now() + withinMs;
    const isHopeful = () => this.#doors.now() < deadlineMs && this.#isWanted && this.#earlyDeaths < maxEarlyDeaths;
    for (let pauseMs = 10; isHopeful(); pauseMs = Math.min(pauseMs * 1.3, 250)) {
      if (this.#child !== null && (await this.#spec.isReady().catch(() => false))) {
        this.#earlyDeaths = Number.NEGATIVE_INFINITY;
        return;
      }
      await this.#doors.sleep(pauseMs);
    }
    const said = this.#lines.length === 0 ? 'It said nothing.' : `Its last lines:\n${this.#lines.join('\n')}`;
    const how = this.#earlyDeaths < maxEarlyDeaths ? `within ${withinMs / 1000} s` : `in ${maxEarlyDeaths} tries`;
    throw new Error(`${this.name} did not become ready ${how}. ${said}`);
  }

  /** Sends a signal and changes nothing else: a part that dies of it is started again. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child?.kill(signal);
  }

  /**
   * Ends it for good: SIGTERM, after `graceMs` SIGKILL.
   *
   * @param graceMs 0 kills at once
   */
  async stop(graceMs = 10_000): Promise<void> {
    this.#isWanted = false;
    this.#waiting.abort();
    const child = this.#child;
    if (child === null) return;
    const over = new AbortController();
    child.kill(graceMs === 0 ? 'SIGKILL' : 'SIGTERM');
    void this.#doors.sleep(graceMs, over.signal).then(() => over.signal.aborted || child.kill('SIGKILL'));
    await this.#ended;
    over.abort();
  }

  /** Stops it, starts it, waits until it serves. */
  async restart(graceMs?: number): Promise<void> {
    await this.stop(graceMs);
    this.start();
    await this.ready();
  }

  #spawn(): void {
    const { args, environment, folder, name } = this.#spec;
    const startedMs = this.#doors.now();
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#lines = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines = [...this.#lines.slice(1 - rememberedLines), line];
        this.#doors.onLine(name, line);
      });
    }
    if (child.pid !== undefined) this.#doors.onProcess(name, identify(child.pid));
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        if (this.#child !== child) return;
        this.#child = null;
        this.#earlyDeaths += 1;
        this.#doors.onProcess(name, null);
        resolve();
        void this.#again(how, startedMs);
      };
      child.once('exit', (code, signal) => end(signal === null ? `exit ${code}` : signal));
      child.once('error', (error) => end(error.message));
    });
  }

  async #again(how: string, startedMs: number): Promise<void> {
    if (!this.#isWanted) return;
    if (this.#doors.now() - startedMs > healthyMs) this.#pauseMs = firstPauseMs;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    this.#doors.onNote(`${this.name} ended by itself (${how}); starting it again in ${pauseMs} ms`);
    this.#waiting = new AbortController();
    await this.#doors.sleep(pauseMs, this.#waiting.signal);
    if (this.#isWanted && this.#child === null) this.#spawn();
  }
}
