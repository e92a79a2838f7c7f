import { playedAgainPattern } from './played-again.ts';

/** One failed test, or one failed try of a test that was played again. */
export interface Failure {
  /** `false` when it was played again: what counts comes later. */
  readonly isFinal: boolean;
  /** Path of the test file, where the runner says it. */
  readonly file: string;
  readonly title: string;
  /** What the error says, without empty lines, excerpts of code and frames of libraries. */
  readonly lines: readonly string[];
}

interface Block {
  readonly kind: 'try' | 'test' | 'other';
  file: string;
  readonly title: string;
  readonly lines: string[];
}

/**
 * Failures in the log of a CI run, in its order, each once: of Jest, of `go test`, of Python's unittest, and steps of make. Pure.
 *
 * @param log without colour codes
 */
export function failuresIn(log: string): readonly Failure[] {
  const reader = new Reader();
  for (const line of log.split(/\r?\n/)) reader.read(line);
  return once(reader.blocks.map((block) => told(block, block.kind !== 'try' && !reader.replayed.has(block))));
}

/** Reads a log line by line. */
class Reader {
  readonly blocks: Block[] = [];
  /** Of files that were played again afterwards. */
  readonly replayed = new Set<Block>();
  /** The block that lines belong to. */
  #open: Block | null = null;
  /** The file that Jest tells about. */
  #file = '';
  /** The test whose tries Jest tells about. */
  #played = '';

  read(line: string): void {
    const begun = begin(line, { file: this.#file, played: this.#played });
    if (begun !== null) {
      this.blocks.push(begun);
      this.#open = begun;
      return;
    }
    if (this.#learns(line) || endsBlock.test(line)) this.#open = null;
    else this.#open?.lines.push(line);
  }

  /** Takes what a line says about those before or after it; answers whether it does. */
  #learns(line: string): boolean {
    const [, played] = /^\s*LOGGING RETRY ERRORS\s+(.*\S)\s*$/.exec(line) ?? [];
    const [, , file] = /^\s*(FAIL|PASS)\s+(?:\w+\s+)?(\S+\.test\.ts)\b/.exec(line) ?? [];
    const [, , , again] = playedAgainPattern.exec(line) ?? [];
    this.#played = played ?? this.#played;
    this.#file = file ?? this.#file;
    if (again !== undefined) this.#markReplayed(again.split(' '));
    // Tries are told before the file that they are of.
    for (const block of this.blocks) if (block.kind === 'try') block.file ||= file ?? '';
    return [played, file, again].some((each) => each !== undefined);
  }

  #markReplayed(files: readonly string[]): void {
    for (const block of this.blocks) if (block.kind === 'test' && files.includes(block.file)) this.replayed.add(block);
  }
}

/** What a line begins, if it does. */
function begin(line: string, { file, played }: { readonly file: string; readonly played: string }): Block | null {
  const make = (kind: Block['kind'], at: string, title = ''): Block => ({ kind, file: at, title, lines: [] });
  const attempt = /^\s*RETRY (\d+)\s*$/.exec(line);
  if (attempt !== null) return make('try', '', `try ${attempt[1]} of: ${played}`);
  const [, byJest] = /^ {2}● (?!Console$)(.+)$/.exec(line) ?? [];
  if (byJest !== undefined) return make('test', file, byJest);
  const [, other] = /^\s*(--- FAIL: .+|(?:FAIL|ERROR): \w+ \(.+|make(?:\[\d+\])?: \*\*\* .+)$/.exec(line) ?? [];
  return other === undefined ? null : make('other', '', other);
}

/** Lines that belong to no failure. */
const endsBlock =
  /^(Test Suites|Tests|Snapshots|Time): |^Summary of all failing tests|^Ran all test suites|^(ok {2}|FAIL|PASS|---)(\t|$)|^Ran \d+ tests? in|^={20,}$|^=== |^make(\[\d+\])?: /;

const noise = /^\s*$|^\s*>?\s*\d*\s*\| |^\s*>?\s*\d+ \||^\s*at .*(node_modules|\(node:|at node:)|^-{20,}$/;

const told = ({ file, title, lines }: Block, isFinal: boolean): Failure => ({
  isFinal,
  file,
  title,
  lines: lines.filter((line) => !noise.test(line)).map((line) => line.trimEnd().replace(/^ {4}/, '')),
});

/** Jest tells failures again at the end of a long run. */
function once(failures: readonly Failure[]): readonly Failure[] {
  const seen = new Set<string>();
  return failures.filter(({ isFinal, title, lines }) => {
    const key = JSON.stringify([isFinal, title, lines]);
    return seen.size < seen.add(key).size;
  });
}

/** Lines of the end of a log that most who read it see. */
const maxLines = 72;

/** A short list of failures for the end of a log. Up to 12 lines of each, fewer when there are many. */
export function tell(failures: readonly Failure[]): readonly string[] {
  const each = Math.min(12, Math.max(1, Math.floor(maxLines / Math.max(1, failures.length)) - 1));
  return failures.flatMap(({ isFinal, file, title, lines }) => [
    `${isFinal ? 'FAILED' : 'failed, and played again'}: ${[file, title].filter((part) => part !== '').join(' ')}`,
    ...lines.slice(0, each).map((line) => `    ${line.slice(0, 300)}`),
  ]);
}
