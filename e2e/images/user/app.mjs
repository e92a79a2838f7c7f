import { existsSync, readFileSync, writeFileSync } from 'node:fs';

let calls = 0;
const attempt = (what) => {
  try {
    what();
    return 'done';
  } catch (error) {
    return error.code;
  }
};

/** Tells where it runs; `{"do": "throw"}` fails. */
export const handler = async (event) => {
  if (event.do === 'throw') throw new TypeError('as asked');
  calls += 1;
  console.log(`call ${calls}`);
  return {
    event,
    calls,
    environment: process.env,
    directory: process.cwd(),
    uid: process.getuid(),
    token: existsSync('/var/run/secrets/kubernetes.io'),
    writeRoot: attempt(() => writeFileSync('/var/task/x', '')),
    writeAgent: attempt(() => writeFileSync('/var/kappa/agent', '')),
    writeTmp: attempt(() => writeFileSync('/tmp/x', '')),
    agentMemory: attempt(() => readFileSync('/proc/1/environ')),
  };
};

/** Another one, for an image whose CMD is replaced. */
export const other = async () => 'other';
