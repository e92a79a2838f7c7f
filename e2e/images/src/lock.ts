import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs `then` while no other process of this machine holds `file`; waits for as long as one does. A killed holder lets go. */
export async function withLock<T>(file: string, then: () => Promise<T>): Promise<T> {
  // The shell holds the lock until its input ends: with `release`, or with this process.
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'exit');
  await Promise.race([
    once(holder.stdout, 'data'),
    ended.then(([code]) => {
      throw new Error(`flock ${file} ended with ${code}`);
    }),
  ]);
  try {
    return await then();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
