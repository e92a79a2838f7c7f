import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { lineShare, overheadBytes } from './queue-limits.ts';

/** A transition of the queue as Redis runs it. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

/*
 * A full Redis (`maxmemory`) refuses scripts without a flag. What brings something in has none; what only reads or lets something out
 * runs on, or a full queue could never empty itself.
 */
const flagsOf = {
  put: '',
  fire: '',
  replay: '',
  settle: '',
  lease: 'allow-oom',
  renew: 'allow-oom',
  drop: 'allow-oom',
  sweep: 'allow-oom',
  mark: 'allow-oom',
  unmark: 'allow-oom',
  lines: 'no-writes',
  dead: 'no-writes',
  find: 'no-writes',
  'shard-claim': 'allow-oom',
  'shard-beat': 'allow-oom',
  'shard-save': 'allow-oom',
  'shard-release': 'allow-oom',
  'shard-rows': 'no-writes',
  'shard-mappings': 'no-writes',
  'shard-forget': 'allow-oom',
  marks: 'no-writes',
} as const;

/** `settleFull` settles when Redis is full. */
export type RedisScripts = Readonly<Record<keyof typeof flagsOf | 'settleFull', RedisScript>>;

/** Reads `lua/`, once for each process. */
export function readScripts(): RedisScripts {
  const textOf = (name: string): string => readFileSync(new URL(`lua/${name}.lua`, import.meta.url), 'utf8');
  const shared = textOf('common');
  const ofShards = textOf('shard-common');
  const common = `local OVERHEAD, LINE_SHARE = ${overheadBytes}, ${lineShare}\n${shared}`;
  const read = (name: keyof typeof flagsOf, flags: string = flagsOf[name]): RedisScript => {
    const text = `#!lua flags=${flags}\n${common}${name.startsWith('shard-') ? ofShards : ''}${textOf(name)}`;
    return { text, sha: createHash('sha1').update(text).digest('hex') };
  };
  return {
    put: read('put'),
    fire: read('fire'),
    replay: read('replay'),
    settle: read('settle'),
    settleFull: read('settle', 'allow-oom'),
    lease: read('lease'),
    renew: read('renew'),
    drop: read('drop'),
    sweep: read('sweep'),
    mark: read('mark'),
    unmark: read('unmark'),
    lines: read('lines'),
    dead: read('dead'),
    find: read('find'),
    'shard-claim': read('shard-claim'),
    'shard-beat': read('shard-beat'),
    'shard-save': read('shard-save'),
    'shard-release': read('shard-release'),
    'shard-rows': read('shard-rows'),
    'shard-mappings': read('shard-mappings'),
    'shard-forget': read('shard-forget'),
    marks: read('marks'),
  };
}
