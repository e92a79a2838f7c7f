import { spawn } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { environmentHas, identify, isAlive, parseStat, sameProcess } from './proc.ts';
import { eventually } from './testing.ts';

test('the fields are counted behind the name, whatever the name holds', () => {
  const tail = Array.from({ length: 48 }, (_, index) => String(index + 5)).join(' ');
  const stat = parseStat(`42 (evil) R 1 (x) S 7 ${tail}`);
  expect(stat).toMatchObject({ pid: 42, state: 'S', parent: 7, session: 6, startTicks: '22' });
});

test('a text that is no stat line is refused', () => {
  expect(() => parseStat('nothing')).toThrow('not a process stat line');
});

test('a process is itself until it ends; another start time is another process', async () => {
  const child = spawn('sleep', ['60'], { env: { MARK: 'kappa-proc-test' } });
  const id = identify(child.pid ?? 0);
  if (id === null) throw new Error('no process');
  try {
    expect(isAlive(id)).toBe(true);
    await eventually('environment of the new program', () => environmentHas(id.pid, 'kappa-proc-test'));
    expect(environmentHas(id.pid, 'another mark')).toBe(false);
    expect(sameProcess({ ...id, startTicks: '1' })).toBeNull();
    expect(sameProcess({ ...id, bootId: 'before the restart' })).toBeNull();
  } finally {
    child.kill('SIGKILL');
  }
  await eventually('end', () => !isAlive(id));
});
