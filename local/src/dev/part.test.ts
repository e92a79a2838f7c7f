import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isAlive, type ProcessId } from '../node/proc.ts';
import { eventually, makeFolder, realClock } from '../node/testing.ts';
import { Part } from './part.ts';

let folder: ReturnType<typeof makeFolder>;
let part: Part;
let lines: string[];
let notes: string[];
let processes: (ProcessId | null)[];
beforeEach(() => {
  folder = makeFolder();
  [lines, notes, processes] = [[], [], []];
});
afterEach(async () => {
  await part.stop(0);
  folder.remove();
});

/** A part that runs a line of JavaScript; ready once it has written "up". */
function makePart(script: string): Part {
  part = new Part(
    {
      name: 'test',
      args: ['-e', script],
      environment: {},
      folder: folder.path,
      isReady: async () => lines.includes('up'),
    },
    {
      now: realClock.now,
      sleep: realClock.sleep,
      onLine: (_name, line) => lines.push(line),
      onNote: (note) => notes.push(note),
      onProcess: (_name, id) => processes.push(id),
    },
  );
  return part;
}

test('it starts, is ready, and is gone after stop', async () => {
  makePart('console.log("up"); setInterval(() => {}, 1000)').start();
  await part.ready();
  const id = await eventually('process', () => processes[0]);
  expect(isAlive(id)).toBe(true);
  await part.stop();
  expect(isAlive(id)).toBe(false);
  expect(part.pid).toBeNull();
  expect(notes).toEqual([]);
});

test('it comes back when it dies by itself, and says so', async () => {
  makePart('console.log("up"); setInterval(() => {}, 1000)').start();
  await part.ready();
  const first = part.pid;
  part.kill('SIGKILL');
  await eventually('another process', () => part.pid !== null && part.pid !== first);
  expect(notes).toEqual(['test ended by itself (SIGKILL); starting it again in 250 ms']);
});

test('a part that is deaf to SIGTERM is killed after its grace', async () => {
  makePart('process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)').start();
  await part.ready();
  const [id] = processes;
  await part.stop(50);
  expect(id !== null && id !== undefined && isAlive(id)).toBe(false);
});

test('a part that cannot start is given up with its last words', async () => {
  makePart('console.error("no such setting"); process.exit(3)').start();
  await expect(part.ready()).rejects.toThrow(
    /test did not become ready in 4 tries. Its last lines:\n.*no such setting/s,
  );
  expect(notes[0]).toContain('(exit 3)');
});

test('a folder that is gone is an end like any other', async () => {
  makePart('console.log("up")');
  rmSync(folder.path, { recursive: true });
  part.start();
  await expect(part.ready()).rejects.toThrow('did not become ready');
});
