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
  replay: '',
  settle: '',
  lease: 'allow-oom',
  renew: 'allow-oom',
  drop: 'allow-oom',
  sweep: 'allow-oom',
  lines: 'no-writes',
  dead: 'no-writes',
  find: 'no-writes',
} as const;

/** `settleFull` settles when Redis is full. */
export type RedisScripts = Readonly<Record<keyof typeof flagsOf | 'settleFull', RedisScript>>;

/** Reads `lua/`, once for each process. */
export function readScripts(): RedisScripts {
  const shared = readFileSync(new URL('lua/common.lua', import.meta.url), 'utf8');
  const common = `local OVERHEAD, LINE_SHARE = ${overheadBytes}, ${lineShare}\n${shared}`;
  const read = (name: keyof typeof flagsOf, flags: string = flagsOf[name]): RedisScript => {
    const text = `#!lua flags=${flags}\n${common}${readFileSync(new URL(`lua/${name}.lua`, import.meta.url), 'utf8')}`;
    return { text, sha: createHash('sha1').update(text).digest('hex') };
  };
  return {
    put: read('put'),
    replay: read('replay'),
    settle: read('settle'),
    settleFull: read('settle', 'allow-oom'),
    lease: read('lease'),
    renew: read('renew'),
    drop: read('drop'),
    sweep: read('sweep'),
    lines: read('lines'),
    dead: read('dead'),
    find: read('find'),
  };
}
