import { expect, test } from '@jest/globals';

import { judge, parseSettings } from './redis-safety.ts';

const info = 'redis_version:7.0.15\r\nmaxmemory:1000\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n';
const config = [
  'appendonly',
  'yes',
  'appendfsync',
  'always',
  'no-appendfsync-on-rewrite',
  'no',
  'maxmemory',
  '2000',
  'maxmemory-policy',
  'noeviction',
];
const hidden = ['appendfsync (always is needed)', 'no-appendfsync-on-rewrite (no is needed)'];
const changed = (name: string, value: string): string[] => config.with(config.indexOf(name) + 1, value);

test.each<[reason: string, info: string, config: string[] | null, dangers: string[], unknown: string[]]>([
  ['all is as it should be', info, config, [], []],
  ['what goes may only be what expires, and nothing does', info, changed('maxmemory-policy', 'volatile-lru'), [], []],
  ['no log', info, changed('appendonly', 'no'), ['appendonly is no: yes is needed'], []],
  ['a late log', info, changed('appendfsync', 'everysec'), ['appendfsync is everysec: always is needed'], []],
  [
    'a log that is late while it is rewritten',
    info,
    changed('no-appendfsync-on-rewrite', 'yes'),
    ['no-appendfsync-on-rewrite is yes: no is needed'],
    [],
  ],
  [
    'keys are thrown away',
    info,
    changed('maxmemory-policy', 'allkeys-lfu'),
    ['maxmemory-policy is allkeys-lfu: noeviction is needed'],
    [],
  ],
  ['too old', info.replace('7.0.15', '6.2.1'), config, ['Redis 6.2.1 is older than 7'], []],
  ['a managed server hides most', info, null, [], hidden],
  [
    'and still tells of some',
    info.replace('aof_enabled:1', 'aof_enabled:0'),
    null,
    ['appendonly is no: yes is needed'],
    hidden,
  ],
])('judge: %s', (_reason, text, pairs, dangers, unknown) => {
  expect(judge(parseSettings(text, pairs))).toEqual({ dangers, unknown });
});

test('parseSettings: the bound of memory', () => {
  expect(parseSettings(info, config).maxMemoryBytes).toBe(2000);
  expect(parseSettings(info, null).maxMemoryBytes).toBe(1000);
});
