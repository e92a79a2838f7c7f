import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LogStream, type LogStreamOptions, tailOffset } from './log-stream.ts';

let directory = '';
let path = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kappa-log-'));
  path = join(directory, 'log');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function follow(options: Partial<LogStreamOptions> = {}) {
  const seen = { text: '', isEnded: false, isSlow: false };
  const ticks = new Set<() => void>();
  let drain = (): void => undefined;
  const repeat = (run: () => void) => {
    ticks.add(run);
    return () => ticks.delete(run);
  };
  const stream = new LogStream(
    { path, start: 0, limitBytes: undefined, prefix: null, repeat, ...options },
    {
      write: (bytes) => {
        seen.text += bytes.toString();
        return !seen.isSlow;
      },
      onDrain: (listener) => {
        drain = listener;
      },
      end: () => {
        seen.isEnded = true;
      },
    },
  );
  stream.start();
  const tick = (): void => {
    for (const run of ticks) run();
  };
  return { seen, stream, ticks, tick, drain: () => drain() };
}

describe('LogStream', () => {
  test('follows a file that appears and grows, until it is finished', () => {
    const log = follow();
    writeFileSync(path, 'one\n');
    log.tick();
    appendFileSync(path, 'two\n');
    log.tick();
    appendFileSync(path, 'three\n');
    log.stream.finish();
    expect(log.seen).toMatchObject({ text: 'one\ntwo\nthree\n', isEnded: true });
    expect(log.ticks.size).toBe(0);
  });

  test('a file that was cut is read on from its start', () => {
    writeFileSync(path, 'a long first line\n');
    const log = follow();
    writeFileSync(path, 'short\n');
    log.tick();
    expect(log.seen.text).toBe('a long first line\nshort\n');
  });

  test('a slow reader gets the rest when it has caught up', () => {
    writeFileSync(path, `${'x'.repeat(100_000)}\n`);
    const log = follow();
    log.seen.isSlow = true;
    appendFileSync(path, 'y'.repeat(200_000));
    log.tick();
    const held = log.seen.text.length;
    log.tick();
    expect(log.seen.text.length).toBe(held);
    log.seen.isSlow = false;
    log.drain();
    expect(log.seen.text.length).toBe(300_001);
  });

  test('a limit ends it', () => {
    writeFileSync(path, 'abcdef');
    expect(follow({ limitBytes: 4 }).seen).toMatchObject({ text: 'abcd', isEnded: true });
  });

  test('every line has its prefix, whatever the chunks', () => {
    writeFileSync(path, 'one\ntwo\n');
    const log = follow({ prefix: () => '> ' });
    appendFileSync(path, 'th');
    log.tick();
    appendFileSync(path, 'ree\n');
    log.tick();
    expect(log.seen.text).toBe('> one\n> two\n> three\n');
  });

  test('a reader that is gone is not written to', () => {
    const log = follow();
    log.stream.stop();
    writeFileSync(path, 'late');
    log.tick();
    expect(log.seen).toMatchObject({ text: '', isEnded: false });
  });
});

test.each<[lines: number, content: string, want: string]>([
  [2, 'a\nb\nc\n', 'b\nc\n'],
  [2, 'a\nb\nc', 'b\nc'],
  [9, 'a\nb\n', 'a\nb\n'],
  [0, 'a\nb\n', ''],
  [1, `${'x'.repeat(70_000)}\n${'y'.repeat(70_000)}\n`, `${'y'.repeat(70_000)}\n`],
])('the last %d lines', (lines, content, want) => {
  writeFileSync(path, content);
  expect(content.slice(tailOffset(path, lines))).toBe(want);
});

test('a file that is not there has no lines', () => {
  expect(tailOffset(path, 3)).toBe(0);
});
